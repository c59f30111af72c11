"""Exports in the hands of the programs they are for, and of the field's own checkers."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import signal

from gan808.app.offline.export import collect
from gan808.exchange.collecting import Amounts, Form
from gan808.exchange.exported_kit import ExportedKit, ExportedSlot
from gan808.exchange.formats import FORMATS, write_export
from gan808.exchange.sf2 import LEAD
from tests.tiny_kit import write_tiny_kit

HERE = Path(__file__).parent
DRUMS, BLOCK, RATE_HZ = 9, 64, 44_100
FLUIDSYNTH_CENTRE = np.sin(np.pi / 2 * 500 / 1001)  # its table of pans (fluid_conv_tables.c)
# No sound card, no server started on its behalf.
HYDROGEN_SETTINGS = """<hydrogen_preferences><audio_engine>
<audio_driver>NullDriver</audio_driver></audio_engine></hydrogen_preferences>"""


def program(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here")
    return found


def checked_by_hydrogen(archive: Path, home: Path) -> str:
    (home / ".hydrogen").mkdir(parents=True, exist_ok=True)
    (home / ".hydrogen/hydrogen.conf").write_text(HYDROGEN_SETTINGS)
    done = subprocess.run(
        [program("h2cli"), "-c", str(archive)], capture_output=True, text=True, timeout=60,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(home),
             "JACK_NO_START_SERVER": "1"})
    return done.stdout


@pytest.mark.parametrize("name", ["plain", 'Käse & "Bröt"/1'])
def test_hydrogen_takes_the_drumkit(kit: ExportedKit, tmp_path: Path, name: str) -> None:
    write_export(replace(kit, name=name), FORMATS["h2drumkit"], tmp_path / "kit.h2drumkit")
    assert "] is valid" in checked_by_hydrogen(tmp_path / "kit.h2drumkit", tmp_path / "home")


def test_hydrogen_sees_what_is_wrong(tmp_path: Path) -> None:
    """So that the test above can fail."""
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit/drumkit.xml").write_text("<drumkit_info/>")
    archive = shutil.make_archive(str(tmp_path / "kit"), "gztar", tmp_path, "kit")
    assert "is INVALID" in checked_by_hydrogen(Path(archive), tmp_path / "home")


def test_sfzlint_finds_nothing(kit: ExportedKit, tmp_path: Path) -> None:
    write_export(kit, FORMATS["sfz"], tmp_path / "out")
    linted = subprocess.run([program("sfzlint"), "--no-pickle", str(tmp_path / "out/kit.sfz")],
                            capture_output=True, text=True, timeout=60)
    assert (linted.stdout + linted.stderr, linted.returncode) == ("", 0)


def test_decent_sampler_preset_is_as_its_guide_has_it(kit: ExportedKit, tmp_path: Path) -> None:
    etree = pytest.importorskip("lxml.etree")
    write_export(kit, FORMATS["dspreset"], tmp_path / "out")
    schema = etree.XMLSchema(etree.parse(HERE / "dspreset.xsd"))
    schema.assertValid(etree.parse(tmp_path / "out/kit.dspreset"))


class FluidSynth:
    """Plays one SoundFont, dry, into float samples: its 16-bit output is dithered."""

    def __init__(self, synth: Any, library: Any) -> None:
        self._synth = synth
        self._write = library.fluid_synth_write_float
        side = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        self._write.argtypes = [ctypes.c_void_p, ctypes.c_int, *side, *side]

    def play(self, note: int, frames: int) -> np.ndarray:
        """A note from its start, float32 (2, at least frames), and silence after it."""
        self._synth.noteon(DRUMS, note, 127)
        heard = self._read(-(-frames // BLOCK) * BLOCK)
        self._synth.all_sounds_off(DRUMS)
        self._read(100 * BLOCK)
        return heard

    def _read(self, frames: int) -> np.ndarray:
        sides = np.zeros((2, frames), np.float32)
        self._write(self._synth.synth, frames, sides[0].ctypes.data, 0, 1,
                    sides[1].ctypes.data, 0, 1)
        return sides


@contextmanager
def fluidsynth_with(file: Path) -> Iterator[FluidSynth]:
    module = pytest.importorskip("fluidsynth", exc_type=ImportError)
    synth = module.Synth(gain=1.0, samplerate=float(RATE_HZ))
    try:
        synth.setting("synth.reverb.active", 0)
        synth.setting("synth.chorus.active", 0)
        loaded = synth.sfload(str(file))
        assert synth.program_select(DRUMS, loaded, 128, 0) == 0
        synth.cc(DRUMS, 7, 127)
        yield FluidSynth(synth, module._fl)
    finally:
        synth.delete()


def through_its_filter(sound: np.ndarray) -> np.ndarray:
    """What FluidSynth's low-pass leaves of a sound. No SoundFont can turn it off: the highest
    cutoff, 19.9 kHz, is taken as 0.45 of the rate (fluid_iir_filter.c), with Q 3.01 dB below 1."""
    q = 10 ** (-3.01 / 20)
    angle = 2 * np.pi * 0.45
    alpha, cosine = np.sin(angle) / (2 * q), np.cos(angle)
    gain = (1 - cosine) / (1 + alpha) / np.sqrt(q)
    return np.asarray(signal.lfilter(
        np.array([0.5, 1, 0.5]) * gain, [1, -2 * cosine / (1 + alpha), (1 - alpha) / (1 + alpha)],
        sound))


def as_exported(slot: ExportedSlot) -> list[np.ndarray]:
    """Left and right of its sound at the slot's level, to 16 bits; mono on both sides alike."""
    sound, wide = slot.sounds[0], len(slot.sounds[0].channels) == 2
    sides = [np.round(c * slot.level * (2 ** -0.5 if wide else 1) * 32767) / 32768
             for c in sound.channels]
    return sides if wide else [side * FLUIDSYNTH_CENTRE for side in sides * 2]


def test_fluidsynth_plays_the_instruments_sounds_to_16_bits(tmp_path: Path) -> None:
    """Every note of a kit: levels, stereo and attack included, but for one gain and the low-pass
    of the player."""
    kit = collect(str(write_tiny_kit(tmp_path / "tiny")), Amounts(), Form(RATE_HZ, 16))
    first, second, *rest = kit.slots
    sound, other = first.sounds[0], second.sounds[0]
    frames = min(len(sound.audio), len(other.audio))
    wide = replace(sound, audio=np.stack([sound.audio[:frames], other.audio[:frames]], axis=1))
    layer = replace(first.layers[0], sounds=(wide,))
    kit = replace(kit, slots=(replace(first, layers=(layer,)), replace(second, level=0.3), *rest))
    write_export(kit, FORMATS["sf2"], tmp_path / "kit.sf2")
    with fluidsynth_with(tmp_path / "kit.sf2") as player:
        gain = 0.0  # of its volume controls, just below 1: one for the whole kit
        for slot in reversed(kit.slots):
            expected = as_exported(slot)
            heard = player.play(slot.note, LEAD + len(expected[0]))[:, LEAD:]
            for side, sound_there in zip(heard, expected, strict=True):
                meant, played = through_its_filter(sound_there), side[:len(sound_there)]
                gain = gain or float(meant @ played / (meant @ meant))
                assert np.abs(played - gain * meant).max() < 0.5 / 32768, slot.code
        assert 0.95 < gain < 1
