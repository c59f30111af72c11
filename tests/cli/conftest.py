"""Commands without a process of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gan808.cli import main
from tests.cli.commands import Command
from tests.running import environment


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a command to its end in this process: all that `main` does but for the log on stderr and
    the end of the process, which the tests that take `gan808` show."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        status = main.call(list(arguments))
        return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())

    return run
