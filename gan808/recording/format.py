"""A recording on disk: NAME.wav, what was heard, and NAME.journal, how it came about; recorded by
slot, NAME-BD.wav and so on besides, each slot alone.

The journal is a text of one JSON object a line. When the recording ends it goes into NAME.mid
(take_midi.py) and is removed; a kill leaves it, and it can be replayed as it is. The recording's
thread only.

Lines, in the order of their happening:

    {"gan808": version, "format": 2, "render", "rate", "seed", "rounds", "threads", "voices",
     "max_sound_frames"}               the first; render: the renderer's generation
    {"kit", "folder", "fingerprint", "frame", "slots": [[code, note], ...]}
    {"state": {...}}                    where it began: journal.py
    {"sound": mark, "id", "digest"}     before the first line that names the mark
    {"tempo": BPM, "frame", "step"}     step: the sixteenth of the pattern's line at that frame
    {"set": address, "values", "frame"} a setting that is the machine's own, where it was heard of
    {"do": [[frame, kind, slot, parameter, value, gain, pan, tune, decay], ...]}
    {"until": frame}                    up to here the sound is in the WAV
    {"end": frame, "lost_frames", "lost_commands"}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan808.engine.layout import CHANNELS, SLOTS
from gan808.engine.outputs.stems import StemFiles, stem_paths
from gan808.engine.outputs.wav import WavFile
from gan808.errors import Gan808Error
from gan808.paths import ordinary
from gan808.toml_json import from_json

FORMAT = 2
READ_FORMATS = (1, FORMAT)  # in the first, rows of "do" have no decay
WAV, MIDI, JOURNAL = ".wav", ".mid", ".journal"
# What a row of "do" holds of a COMMAND, in this order.
ROW = ("frame", "kind", "slot", "parameter", "value", "gain", "pan", "tune_semitones",
       "decay")
MAX_FILE_BYTES = 1 << 30
Line = dict[str, Any]


def taken(stem: Path, besides: Sequence[Path] = ()) -> Path | None:
    """A file that a recording of this name, with others besides, would meet, None when there is
    none."""
    found = (stem.with_name(stem.name + ending) for ending in (WAV, MIDI, JOURNAL))
    return next((path for path in (*found, *besides) if path.exists()), None)


def digest_of(audio: NDArray[np.float32]) -> str:
    """Sixteen digits that tell sounds apart, sample for sample."""
    text = f"{audio.shape}".encode() + np.ascontiguousarray(audio, "<f4").tobytes()
    return hashlib.sha256(text).hexdigest()[:16]


class TakeFiles:
    """The files of one recording. Every method raises Gan808Error when they cannot be written."""

    def __init__(self, stem: Path, sample_rate_hz: int, codes: Sequence[str] | None = None) -> None:
        """Makes STEM.wav and STEM.journal; never over a file that is there. codes: of the kit's
        slots, where each is recorded alone besides, in a file of its own."""
        self.wav_path = stem.with_name(stem.name + WAV)
        self.midi_path = stem.with_name(stem.name + MIDI)
        self.journal_path = stem.with_name(stem.name + JOURNAL)
        self._stems = None if codes is None else StemFiles(
            self.wav_path, codes, lambda path: WavFile(path, sample_rate_hz))
        if (there := taken(stem, stem_paths(self.wav_path, codes or ()))) is not None:
            raise Gan808Error(f"{there}: there is one already; choose another name")
        try:
            stem.parent.mkdir(parents=True, exist_ok=True)
            self._journal = self.journal_path.open("x", encoding="utf-8")
        except OSError as error:
            raise _failure(self.journal_path, error) from error
        self._wav: WavFile | None = None
        try:
            self._wav = WavFile(self.wav_path, sample_rate_hz)
            if self._stems is not None:
                self._stems.open()
        except Gan808Error:
            self.discard()
            raise

    @property
    def by_slot(self) -> bool:
        """Whether each slot is recorded alone besides."""
        return self._stems is not None

    @property
    def _wavs(self) -> list[WavFile]:
        stems = [] if self._stems is None else self._stems.files.values()
        return [file for file in (self._wav, *stems) if file is not None]

    def write(self, line: Line) -> None:
        """Appends a line to the journal."""
        try:
            self._journal.write(json.dumps(line, separators=(",", ":")) + "\n")
        except OSError as error:
            raise _failure(self.journal_path, error) from error

    def sound(self, audio: NDArray[np.float32]) -> None:
        """Appends float32 (n, channels), a frame as engine/recorder.py has it, to the WAVs."""
        if self._wav is not None:
            self._wav.write(audio[:, :CHANNELS])
        if self._stems is not None:
            self._stems.write(audio[:, CHANNELS:].T.reshape(SLOTS, CHANNELS, -1))

    @property
    def empty(self) -> bool:
        """Whether no sound has been written yet."""
        return self._wav is None or self._wav.empty

    def keep(self) -> None:
        """Makes all files whole as they are."""
        try:
            self._journal.flush()
        except OSError as error:
            raise _failure(self.journal_path, error) from error
        for wav in self._wavs:
            wav.keep()

    def discard(self) -> None:
        """Removes what there is: nothing was recorded."""
        wavs = self._wavs
        for close in (self._journal.close, *(wav.close for wav in wavs)):
            with suppress(OSError, Gan808Error):
                close()
        for path in (self.journal_path, *(wav.path for wav in wavs)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def finish(self) -> None:
        """Completes the WAVs, makes the MIDI file and removes the journal it was made from."""
        from gan808.recording.midi_file import write_midi  # brings mido along

        with ExitStack() as closing:
            closing.callback(self._close_journal)
            for wav in self._wavs:
                closing.callback(wav.close)
        write_midi(self.midi_path, list(read_journal(self.journal_path)))
        self.journal_path.unlink(missing_ok=True)

    def _close_journal(self) -> None:
        try:
            self._journal.close()
        except OSError as error:
            raise _failure(self.journal_path, error) from error


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
    if lines[0].get("format") not in READ_FORMATS:
        raise Gan808Error(f"{path}: recorded by GAN-808 {lines[0]['gan808']} in a form this "
                          "version does not know")
    return lines


def _failure(path: Path, error: OSError) -> Gan808Error:
    return Gan808Error(f"{path}: cannot be written: {error.strerror}")
