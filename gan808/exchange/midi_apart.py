"""A large MIDI file is read in a process of its own: the interpreter is free for what plays.

`read_apart` is the player's side; its caller's thread waits and holds nothing up. `main` is the
process: JSON from standard input, JSON to standard output, and it ends.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from gan808.errors import ConfigError, Gan808Error
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.steps import Step
from gan808.sound.kit.slots import SlotLayout
from gan808.toml_json import from_json

log = logging.getLogger("gan808")

LONGEST_S = 60.0  # a second or two on an idle machine, however many notes there are
NICENESS = 5  # the sound comes first


def read_apart(path: Path, slots: Sequence[SlotLayout]) -> Pattern:
    """What `midi_patterns.pattern_of` gives, made in another process. Raises ConfigError."""
    asked = {"path": os.fspath(path), "slots": [[slot.code, slot.notes] for slot in slots]}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "gan808.exchange.midi_apart"], input=json.dumps(asked).encode(),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=LONGEST_S, check=False,
            start_new_session=True,  # Ctrl-C is the player's
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"{path}: takes longer than {LONGEST_S:.0f} s to read") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read in a process of its own: "
                          f"{error.strerror}") from error
    if done.returncode:
        raise ConfigError(f"{path}: cannot be read: the process that does so has ended with "
                          f"status {done.returncode}")
    return _pattern(from_json(done.stdout))


def _pattern(told: dict[str, Any]) -> Pattern:
    """Raises ConfigError with what the process has found wrong."""
    for line in told["warnings"]:
        log.warning("%s", line)
    if told["error"]:
        raise ConfigError(told["error"])
    rows = {code: tuple(Step(*step) for step in row) for code, row in told["rows"].items()}
    return Pattern(told["name"], told["tempo_bpm"], told["swing"], told["description"], rows)


class _Warnings(logging.Handler):
    """Keeps what would be logged, for the player to log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def main() -> None:
    """Answer one request."""
    from gan808.exchange.midi_patterns import pattern_of  # which calls read_apart

    os.nice(NICENESS)
    asked = from_json(sys.stdin.read())
    slots = [SlotLayout(code, code, "", tuple(notes)) for code, notes in asked["slots"]]
    warnings = _Warnings()
    log.addHandler(warnings)
    told: dict[str, Any] = {"error": ""}
    try:
        pattern = pattern_of(Path(asked["path"]), slots)
        told |= {"name": pattern.name, "tempo_bpm": pattern.tempo_bpm, "swing": pattern.swing,
                 "description": pattern.description,
                 "rows": {code: [astuple(step) for step in row]
                          for code, row in pattern.rows.items()}}
    except Gan808Error as error:
        told["error"] = str(error)
    json.dump(told | {"warnings": warnings.lines}, sys.stdout)


if __name__ == "__main__":
    main()
