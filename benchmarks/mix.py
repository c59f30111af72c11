"""Mixing 64 voices into blocks of 128 frames: the engine against FluidSynth, NumPy and itself.

    python benchmarks/mix.py

Each run mixes the same number of blocks with 64 voices sounding; the engine's run and the rival's
alternate, and the median of the ratios rival / engine is printed (above 1: the engine is faster).
FluidSynth (through pyfluidsynth, reverb and chorus off, a General MIDI sound font) interpolates,
filters and shapes every voice, so it is set against tuned, decaying voices; the NumPy mixer adds
sounds at their own pitch, one gather and one matrix product a block, and is set against those.

What an output a slot costs is measured in JACK's process callback, with tuned, panned, decaying
voices and ports that are memory: sixteen pairs besides the mix's (the engine) against the mix's
alone (the rival).
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gan808.engine.engine import Engine, SlotParameter
from gan808.engine.jack.client import SOURCES
from gan808.engine.jack.layout import OUTPUT
from gan808.engine.jit import object_cache
from gan808.engine.layout import CHANNELS, SLOT_CHANNELS

RATE_HZ = 48_000
VOICES, SLOTS, BLOCK_FRAMES, BLOCKS = 64, 16, 128, 400
SOUND_FONTS = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
)
CHURCH_ORGAN = 19
PROCESS = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_uint32, ctypes.c_void_p)
Run = Callable[[], float]


def sounds(seed: int) -> np.ndarray:
    """Quiet noise, float32 (slots, frames), as long as a run and a half."""
    random = np.random.default_rng(seed)
    frames = BLOCKS * BLOCK_FRAMES * 5 // 4
    return np.asarray(random.standard_normal((SLOTS, frames)) * 0.01, np.float32)


class Voices:
    """An engine whose 64 voices can be made to sound: plain, or tuned and decaying."""

    def __init__(self, *, tuned: bool) -> None:
        audio = sounds(1)
        self.engine = Engine(RATE_HZ, cells=SLOTS, max_sound_s=audio.shape[1] / RATE_HZ,
                             voices=VOICES)
        self._port = port = self.engine.port("benchmark")
        self._tune_semitones = -0.5 if tuned else 0.0
        for slot in range(SLOTS):
            cell = self.engine.write_sound(audio[slot])
            if cell is None:
                raise RuntimeError("the arena is full")
            port.assign(slot, cell)
            port.set_slot(slot, SlotParameter.DECAY, 0.99 if tuned else 1.0)
            port.set_slot(slot, SlotParameter.PAN, slot / SLOTS * 2 - 1)

    def timed(self, mix_block: Callable[[], object]) -> float:
        """Seconds for BLOCKS blocks, all voices sounding."""
        self._port.stop()
        self.engine.process(np.zeros((RATE_HZ // 10, 2), np.float32))
        for voice in range(VOICES):
            self._port.trigger(voice % SLOTS, 1.0, tune_semitones=self._tune_semitones)
        mix_block()
        began_s = time.perf_counter()
        for _ in range(BLOCKS):
            mix_block()
        took_s = time.perf_counter() - began_s
        if self.engine.stats().voices != VOICES:
            raise RuntimeError(f"{self.engine.stats().voices} voices sound, not {VOICES}")
        return took_s


def engine_run(tuned: bool) -> Run:
    """A run of the engine on plain voices, or on tuned and decaying ones."""
    voices = Voices(tuned=tuned)
    block = np.zeros((BLOCK_FRAMES, 2), np.float32)
    return lambda: voices.timed(lambda: voices.engine.process(block))


def jack_run(kept: list[object], *, by_slot: bool) -> Run:
    """A run of JACK's process callback on tuned and decaying voices, its ports in memory. kept:
    holds what the callback works in."""
    voices = Voices(tuned=True)
    buffers = np.zeros((CHANNELS + SLOT_CHANNELS, BLOCK_FRAMES), np.float32)
    # A port is the address of its buffer here, and what asks for the buffer is compiled, as
    # libjack is.
    ports = buffers.ctypes.data + buffers.strides[0] * np.arange(len(buffers))
    get_buffer = numba.cfunc("int64(int64, uint32)")(lambda port, frames: port)
    memory = np.zeros(1, OUTPUT)
    memory["left_port"], memory["right_port"] = ports[:CHANNELS]
    memory["slot_ports"] = ports[CHANNELS:] if by_slot else 0
    memory["get_buffer"] = get_buffer.address
    memory["callback"] = voices.engine.callback_address
    memory["engine"] = voices.engine.memory_address
    address = memory.ctypes.data
    process = PROCESS(object_cache.addresses("jack.callbacks", SOURCES)["process"])

    def run() -> float:
        took_s = voices.timed(lambda: process(BLOCK_FRAMES, address))
        if not buffers[0].any() or bool(buffers[-1].any()) != by_slot:
            raise RuntimeError("what was mixed is not in the ports")
        return took_s

    # Compiled code knows only addresses: what lies there lives as long as the run.
    kept.append((memory, buffers, get_buffer))
    return run


def numpy_run() -> Run:
    """A run of a vectorised NumPy mixer on plain voices."""
    audio = sounds(1)
    which = np.arange(VOICES) % SLOTS
    gains = np.full((2, VOICES), np.sqrt(0.5), np.float32)

    def run() -> float:
        began_s = time.perf_counter()
        for block in range(BLOCKS):
            first = block * BLOCK_FRAMES
            mixed = gains @ audio[which, first:first + BLOCK_FRAMES]
            np.clip(mixed.T, -1.0, 1.0)
        return time.perf_counter() - began_s

    return run


def fluidsynth_run(sound_font: str) -> Run:
    """A run of FluidSynth with 64 sustained voices, effects off."""
    import fluidsynth  # type: ignore[import-untyped]

    synth = fluidsynth.Synth(samplerate=RATE_HZ, gain=0.1, **{
        "synth.reverb.active": 0, "synth.chorus.active": 0, "synth.polyphony": VOICES})
    synth.program_select(0, synth.sfload(sound_font), 0, CHURCH_ORGAN)
    for note in range(24, 24 + VOICES):
        synth.noteon(0, note, 100)
    synth.get_samples(BLOCK_FRAMES)
    count_voices = fluidsynth._fl.fluid_synth_get_active_voice_count
    count_voices.argtypes = [ctypes.c_void_p]
    print(f"FluidSynth: {count_voices(synth.synth)} voices sound")

    def run() -> float:
        began_s = time.perf_counter()
        for _ in range(BLOCKS):
            synth.get_samples(BLOCK_FRAMES)
        return time.perf_counter() - began_s

    return run


def compare(name: str, ours: Run, rival: Run, repeats: int) -> float:
    """Runs both in turn and prints the medians; returns the median ratio rival / ours."""
    ours(), rival()
    pairs = [(ours(), rival()) for _ in range(repeats)]
    ratio = statistics.median(theirs / own for own, theirs in pairs)
    own_us, theirs_us = (statistics.median(times) / BLOCKS * 1e6
                         for times in zip(*pairs, strict=True))
    share = own_us * 1e-6 * RATE_HZ / BLOCK_FRAMES
    print(f"{name}: engine {own_us:.1f} us a block ({share:.2%} of its time), "
          f"rival {theirs_us:.1f} us, ratio {ratio:.2f}")
    return ratio


def main() -> None:
    """Compares with each rival that is installed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    print(f"{VOICES} voices, {BLOCK_FRAMES} frames at {RATE_HZ} Hz, {repeats} alternating runs")
    compare("NumPy, plain voices", engine_run(tuned=False), numpy_run(), repeats)
    kept: list[object] = []
    compare("An output a slot, tuned voices", jack_run(kept, by_slot=True),
            jack_run(kept, by_slot=False), repeats)
    font = next((path for path in SOUND_FONTS if Path(path).exists()), None)
    try:
        if font is None:
            raise ImportError("no General MIDI sound font is installed")
        rival = fluidsynth_run(font)
    except ImportError as error:
        print(f"FluidSynth left out: {error}")
        return
    compare("FluidSynth, tuned voices", engine_run(tuned=True), rival, repeats)


if __name__ == "__main__":
    main()
