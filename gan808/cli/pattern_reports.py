"""What the command line tells of patterns, and MIDI files made into patterns. Data in, lines out;
main thread.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path

from gan808 import paths
from gan808.columns import columns
from gan808.errors import ConfigError, Gan808Error
from gan808.sequencer.clock import STEPS_PER_BAR
from gan808.sequencer.patterns import Pattern
from gan808.sound.kit.kit import find_kit
from gan808.storage.pattern_files import (
    MIDI,
    find_pattern,
    pattern_file,
    pattern_names,
    pattern_source,
    save_pattern,
)
from gan808.storage.pattern_index import PatternIndex


def pattern_lines() -> list[str]:
    """A line for each pattern: name, tempo, length, description; a broken one with what is wrong.
    """
    folders = (paths.user_patterns_folder(),)
    index = PatternIndex(paths.pattern_index_file())
    rows: list[list[str]] = []
    broken: list[str] = []
    for name in pattern_names(folders):
        read = partial(_described, name, folders)
        try:
            file = pattern_file(name, folders)
            rows.append([name, *(index.row(file, read) if file else read())])
        except Gan808Error as error:
            broken.append(f"broken: {error}")
    index.save()
    return columns(rows) + broken


def _described(name: str, folders: tuple[Path, ...]) -> list[str]:
    pattern = find_pattern(name, folders)
    return [f"{pattern.tempo_bpm:g} BPM", _length(pattern), pattern.description]


def _length(pattern: Pattern) -> str:
    lengths = sorted({len(row) for row in pattern.rows.values()})
    if not lengths or len(lengths) == 1 or all(lengths[-1] % length == 0 for length in lengths):
        bars, rest = divmod(pattern.n_steps, STEPS_PER_BAR)
        if not rest:
            return f"{bars} bar" + "s" * (bars > 1)
        return f"{pattern.n_steps} steps"
    return "/".join(map(str, lengths)) + " steps"


def pattern_text(name: str) -> str:
    """A pattern's text: the file's own, comments and all, or what a MIDI file would become."""
    return pattern_source(name, (paths.user_patterns_folder(),))


def import_midi_file(path: Path, name: str | None) -> list[str]:
    """Write a MIDI file's drums as a pattern of the user's; what was done, in lines.

    Raises Gan808Error for a file that cannot be used and for a name that is none.
    """
    if not path.name.lower().endswith(MIDI):
        raise ConfigError(f"{path}: give a MIDI file, a path ending in .mid")
    pattern = find_pattern(str(path))
    written = save_pattern(pattern, name or pattern.name, paths.user_patterns_folder())
    saved = replace(pattern, name=written.stem)
    hits = sum(step.sounds for row in saved.rows.values() for step in row)
    told = (f"{_length(saved)}, {len(saved.rows)} rows, {hits} hits, {saved.tempo_bpm:g} BPM, "
            f"swing {saved.swing:g}; {saved.description}")
    return [f"{written}: {told}", f"play it: gan808 run --pattern {shlex.quote(saved.name)}"]


def export_midi_file(name: str, out: Path, kit: str, bars: int) -> list[str]:
    """Write a pattern as a MIDI file, as notes of a kit's slots; what was done, in lines.

    Raises Gan808Error for a pattern or kit that is not there and for a file that is.
    """
    from gan808.exchange.midi_export import write_pattern

    slots = find_kit(kit, paths.kit_folders()).slots
    pattern = find_pattern(name, (paths.user_patterns_folder(),))
    if not out.name.lower().endswith(MIDI):
        raise ConfigError(f"{out}: give a MIDI file, a path ending in .mid")
    notes, written = write_pattern(out, pattern, slots, bars=bars)
    bar = "bar" if written == 1 else "bars"
    return [f"{out}: {notes} notes in {written} {bar}, {pattern.tempo_bpm:g} BPM"]
