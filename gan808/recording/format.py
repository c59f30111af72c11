"""A recording on disk: NAME.wav, what was heard, and NAME.journal, how it came about.

The journal is a text of one JSON object a line. When the recording ends it goes into NAME.mid
(take_midi.py) and is removed; a kill leaves it, and it can be replayed as it is. The recording's
thread only.

Lines, in the order of their happening:

    {"gan808": version, "format": 1, "render", "rate", "seed", "rounds", "threads", "voices",
     "max_sound_frames"}               the first; render: the renderer's generation
    {"kit", "folder", "fingerprint", "frame", "slots": [[code, note], ...]}
    {"state": {...}}                    where it began: journal.py
    {"sound": mark, "id", "digest"}     before the first line that names the mark
    {"tempo": BPM, "frame", "step"}     step: the sixteenth of the pattern's line at that frame
    {"set": address, "values", "frame"} a setting that is the machine's own, where it was heard of
    {"do": [[frame, kind, slot, parameter, value, gain, pan, tune], ...]}
    {"until": frame}                    up to here the sound is in the WAV
    {"end": frame, "lost_frames", "lost_commands"}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan808.engine.outputs.wav import WavFile
from gan808.errors import Gan808Error
from gan808.paths import ordinary
from gan808.toml_json import from_json

FORMAT = 1
WAV, MIDI, JOURNAL = ".wav", ".mid", ".journal"
# What a row of "do" holds of a COMMAND, in this order.
ROW = ("frame", "kind", "slot", "parameter", "value", "gain", "pan", "tune_semitones")
MAX_FILE_BYTES = 1 << 30
Line = dict[str, Any]


def taken(stem: Path) -> Path | None:
    """A file that a recording of this name would meet, None when there is none."""
    found = (stem.with_name(stem.name + ending) for ending in (WAV, MIDI, JOURNAL))
    return next((path for path in found if path.exists()), None)


def digest_of(audio: NDArray[np.float32]) -> str:
    """Sixteen digits that tell sounds apart, sample for sample."""
    text = f"{audio.shape}".encode() + np.ascontiguousarray(audio, "<f4").tobytes()
    return hashlib.sha256(text).hexdigest()[:16]


class TakeFiles:
    """The files of one recording. Every method raises Gan808Error when they cannot be written."""

    def __init__(self, stem: Path, sample_rate_hz: int) -> None:
        """Makes STEM.wav and STEM.journal; never over a file that is there."""
        self.wav_path = stem.with_name(stem.name + WAV)
        self.midi_path = stem.with_name(stem.name + MIDI)
        self.journal_path = stem.with_name(stem.name + JOURNAL)
        if (there := taken(stem)) is not None:
            raise Gan808Error(f"{there}: there is one already; choose another name")
        try:
            stem.parent.mkdir(parents=True, exist_ok=True)
            self._journal = self.journal_path.open("x", encoding="utf-8")
        except OSError as error:
            raise _failure(self.journal_path, error) from error
        try:
            self._wav = WavFile(self.wav_path, sample_rate_hz)
        except Gan808Error:
            self._journal.close()
            self.journal_path.unlink(missing_ok=True)
            raise

    def write(self, line: Line) -> None:
        """Appends a line to the journal."""
        try:
            self._journal.write(json.dumps(line, separators=(",", ":")) + "\n")
        except OSError as error:
            raise _failure(self.journal_path, error) from error

    def sound(self, audio: NDArray[np.float32]) -> None:
        """Appends float32 (n, 2) to the WAV."""
        self._wav.write(audio)

    @property
    def empty(self) -> bool:
        """Whether no sound has been written yet."""
        return self._wav.empty

    def keep(self) -> None:
        """Makes both files whole as they are."""
        try:
            self._journal.flush()
        except OSError as error:
            raise _failure(self.journal_path, error) from error
        self._wav.keep()

    def discard(self) -> None:
        """Removes what there is: nothing was recorded."""
        for close in (self._journal.close, self._wav.close):
            with suppress(OSError, Gan808Error):
                close()
        for path in (self.wav_path, self.journal_path):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def finish(self) -> None:
        """Completes the WAV, makes the MIDI file and removes the journal it was made from."""
        from gan808.recording.midi_file import write_midi  # brings mido along

        try:
            self._wav.close()
        finally:
            try:
                self._journal.close()
            except OSError as error:
                raise _failure(self.journal_path, error) from error
        write_midi(self.midi_path, list(read_journal(self.journal_path)))
        self.journal_path.unlink(missing_ok=True)


def read_journal(path: Path) -> Iterator[Line]:
    """The whole lines of a journal; what a kill left half written at its end is passed over.
    Raises Gan808Error."""
    try:
        with path.open(encoding="utf-8") as file:
            for text in file:
                if text.endswith("\n"):
                    yield parsed(text, path)
    except (OSError, UnicodeDecodeError) as error:
        raise Gan808Error(f"{path}: cannot be read: {error}") from error


def parsed(text: str | bytes, path: Path) -> Line:
    """One line of a journal. Raises Gan808Error for what is none."""
    try:
        line = from_json(text)
    except ValueError as error:
        raise Gan808Error(f"{path}: not a recording of GAN-808, or damaged") from error
    if not isinstance(line, dict):
        raise Gan808Error(f"{path}: not a recording of GAN-808, or damaged")
    return line


def read_take(path: Path) -> list[Line]:
    """The lines of a recording: NAME.mid, or the NAME.journal that a kill has left.
    Raises Gan808Error."""
    try:
        if ordinary(path).st_size > MAX_FILE_BYTES:
            raise Gan808Error(f"{path}: too large for a recording")
    except OSError as error:
        raise Gan808Error(f"{path}: cannot be read: {error.strerror}") from error
    if path.suffix == JOURNAL:
        lines = list(read_journal(path))
    else:
        from gan808.recording.midi_file import read_midi

        lines = read_midi(path)
    if not lines or "gan808" not in lines[0]:
        raise Gan808Error(f"{path}: no recording of GAN-808: it has no journal in it")
    if lines[0].get("format") != FORMAT:
        raise Gan808Error(f"{path}: recorded by GAN-808 {lines[0]['gan808']} in a form this "
                          "version does not know")
    return lines


def _failure(path: Path, error: OSError) -> Gan808Error:
    return Gan808Error(f"{path}: cannot be written: {error.strerror}")
