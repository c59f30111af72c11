"""Commands of `gan808`, each run to its end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.running import environment

Command = Callable[..., subprocess.CompletedProcess[str]]


def gan808(
    home: Path, *arguments: str, timeout_s: float = 120, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "gan808", *arguments], cwd=home, env=environment(home) | env,
        capture_output=True, text=True, timeout=timeout_s, check=False,
    )


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr that a failure may print."""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("gan808: ")
    assert result.stdout == ""
    return lines[0]
