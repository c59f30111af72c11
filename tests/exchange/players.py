"""Who plays what is exported: FluidSynth, and the instrument's own engine to compare it with."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import signal

from gan808.engine.engine import Engine
from gan808.instrument.slots import ENGINE_PARAMETERS
from gan808.sound.sound import Sound

DRUMS, BLOCK, RATE_HZ = 9, 64, 44_100
CENTRE = 2 ** -0.5
FLUIDSYNTH_CENTRE = np.sin(np.pi / 2 * 500 / 1001)  # its table of pans (fluid_conv_tables.c)


def instrument_plays(sound: Sound, values: Mapping[str, float]) -> np.ndarray:
    """A sound struck as hard as it can be in a slot that is set so, float32 (2, n), to its end."""
    engine = Engine(sound.sample_rate_hz, cells=32)
    port = engine.port("test")
    cell = engine.write_sound(sound.audio)
    assert cell is not None
    assert port.assign(0, cell)
    for name, value in values.items():
        port.set_slot(0, ENGINE_PARAMETERS[name], value)
    port.trigger(0, 1.0)
    speed = 2 ** (values.get("tune", 0.0) / 12)
    out = np.zeros((int(len(sound.audio) / speed) + BLOCK, 2), np.float32)
    engine.process(out)
    assert np.abs(out).max() < 0.8, "the limiter would change it"
    return out.T


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
