"""The percussion notes of a SoundFont's General MIDI drum kits, rendered one by one.

Needs libfluidsynth, its binding pyfluidsynth and sf2utils (the extra `gan808[soundfont]`).
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gan808.errors import CorpusError
from gan808.sound.recording import mono

from .recording import Credit, Recording, Skipped
from .soundfont_packs import packs_of

DRUM_BANK = 128
CHANNEL = 9  # the percussion channel, counted from 0
SAMPLE_RATE_HZ = 44100
VELOCITIES = (64, 96, 127)
MAX_SECONDS = 2.5
SILENT_PEAK = 1e-4

# General MIDI level 1 percussion map, what belongs to a class of ours.
CLASS_OF_NOTE = {
    35: "kick", 36: "kick", 37: "rimshot", 38: "snare", 39: "clap", 40: "snare",
    41: "tom", 43: "tom", 45: "tom", 47: "tom", 48: "tom", 50: "tom",
    42: "closed_hat", 44: "closed_hat", 46: "open_hat",
    49: "cymbal", 51: "cymbal", 52: "cymbal", 55: "cymbal", 57: "cymbal", 59: "cymbal",
    56: "cowbell", 67: "cowbell", 68: "cowbell",
    60: "conga", 61: "conga", 62: "conga", 63: "conga", 64: "conga",
    69: "shaker", 70: "shaker", 82: "shaker",
    75: "claves", 76: "claves", 77: "claves",
}
# Where a General Standard kit puts something else on a note: by a word in the preset's name.
EXCEPTIONS = {"orchestra": frozenset({39, *range(41, 54)}), "brush": frozenset({39, 40})}


DITHER = 4 / 32768  # of the synthesiser: renderings that differ by less are the same
COMPARED = 8192  # samples of the attack by which they are compared


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.abs(a[:COMPARED] - b[:COMPARED]).max() < DITHER)


def _rendered(audio: np.ndarray) -> tuple[np.ndarray, int]:
    return audio, SAMPLE_RATE_HZ


class SoundFontSource:
    """Recordings of a SoundFont's drum kits (bank 128); equal renderings are yielded once.

    The kits of a SoundFont share samples: notes that play the same one at another pitch, level or
    place are one pack, whatever their kit, or training would hear what is held out.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise CorpusError(f"{path}: no such file")
        self.path = path

    def _synth(self) -> tuple[Any, int]:
        try:
            import fluidsynth
        except ImportError as error:
            raise CorpusError(
                f"{self.path}: reading a SoundFont needs FluidSynth: install libfluidsynth and "
                "`pip install 'gan808[soundfont]'`"
            ) from error
        synth = fluidsynth.Synth(samplerate=float(SAMPLE_RATE_HZ), gain=0.8)
        for effect in ("reverb", "chorus"):
            synth.setting(f"synth.{effect}.active", 0)
        loaded = synth.sfload(str(self.path))
        if loaded < 0:
            raise CorpusError(f"{self.path}: not a SoundFont that FluidSynth can read")
        return synth, loaded

    def credits(self) -> dict[str, Credit]:
        """None: what a SoundFont says of its maker is free text."""
        return {}

    def recordings(self, skipped: Skipped) -> Iterator[Recording]:
        synth, loaded = self._synth()
        packs = packs_of(self.path)
        heard: dict[int, list[np.ndarray]] = defaultdict(list)
        try:
            for program in range(128):
                preset = synth.sfpreset_name(loaded, DRUM_BANK, program)
                if not preset:
                    continue
                preset = preset.decode() if isinstance(preset, bytes) else str(preset)
                synth.program_select(CHANNEL, loaded, DRUM_BANK, program)
                own = {note: packs[program, note] for note in CLASS_OF_NOTE}
                yield from self._preset(synth, preset, own, heard, skipped)
        finally:
            synth.delete()

    def _preset(
        self, synth: Any, preset: str, packs: dict[int, str],
        heard: dict[int, list[np.ndarray]], skipped: Skipped,
    ) -> Iterator[Recording]:
        other = frozenset().union(
            *(notes for word, notes in EXCEPTIONS.items() if word in preset.lower())
        )
        for note, class_name in CLASS_OF_NOTE.items():
            if note in other:
                continue
            for velocity in VELOCITIES:
                origin = f"{self.path.name}/{preset}/note {note} velocity {velocity}"
                audio = self._render(synth, note, velocity)
                if np.abs(audio).max() < SILENT_PEAK:
                    skipped.add(origin, "silent")
                elif not any(_same(audio, known) for known in heard[note]):
                    heard[note].append(audio[:COMPARED])
                    yield Recording(functools.partial(_rendered, audio), class_name, origin,
                                    f"{self.path.name}/{packs[note]}")

    @staticmethod
    def _render(synth: Any, note: int, velocity: int) -> np.ndarray:
        synth.noteon(CHANNEL, note, velocity)
        stereo = synth.get_samples(int(MAX_SECONDS * SAMPLE_RATE_HZ)).reshape(-1, 2)
        synth.noteoff(CHANNEL, note)
        synth.all_sounds_off(CHANNEL)
        synth.get_samples(4096)  # the release of what was cut must not reach the next note
        return mono(stereo / np.float32(32768.0))
