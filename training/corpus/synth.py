"""Voices of analogue drum machines, after the TR-808 and TR-909, without limit.

Every sound follows from (seed, class, number): the settings are drawn as a player with good ears
might turn the knobs, wider than the machines' own. Threads of the preparation call it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator

import numpy as np
import soxr

from gan808.errors import CorpusError

from .analogue import (
    METAL_HZ,
    OVERSAMPLED_HZ,
    SAMPLE_RATE_HZ,
    Dice,
    band,
    driven,
    falling,
    ringing,
    squares,
    times,
)
from .recording import Credit, Recording, Skipped

PEAK = 0.9
PACK_SOUNDS = 10  # numbers that are held out together: more sounds do not move the border
PREFIX = "synth"
CREDIT = Credit("Voices after the TR-808 and TR-909, synthesised by training/corpus/synth.py",
                "MIT", "the GAN-808 authors")


def kick(dice: Dice) -> np.ndarray:
    """One ringing bridged-T with a leap of pitch at the stroke; the 909's falls further, slower
    and is bent towards a square, with a click of noise."""
    is_909 = dice.chance(0.5)
    decay_s = dice.ratio(0.06, 0.25) if is_909 else dice.ratio(0.06, 0.45)
    t = times(decay_s)
    sweep, sweep_s = (
        (dice.between(1.5, 5.0), dice.ratio(0.01, 0.045)) if is_909
        else (dice.between(0.2, 2.0), dice.ratio(0.003, 0.012))
    )
    body = ringing(t, dice.ratio(38, 68), decay_s, sweep, sweep_s)
    click = band(dice.noise(t), dice.ratio(900, 3000), None) * falling(t, dice.ratio(8e-4, 3e-3))
    mixed = body + click * dice.between(0.0, 0.3 if is_909 else 0.12)
    toned = band(mixed, None, dice.ratio(1500, 12_000))
    return driven(toned, dice.between(0.0, 4.0 if is_909 else 2.0))


def snare(dice: Dice) -> np.ndarray:
    """Two bridged-T shells, an octave apart or less, and the snares: noise above a corner."""
    shell_s, snares_s = dice.ratio(0.02, 0.09), dice.ratio(0.03, 0.16)
    t = times(max(shell_s, snares_s))
    low_hz, sweep = dice.ratio(140, 240), dice.between(0.0, 0.8)
    high = ringing(t, low_hz * dice.between(1.5, 2.1), shell_s * dice.between(0.5, 1), sweep)
    shells = ringing(t, low_hz, shell_s, sweep) + dice.between(0.2, 0.9) * high
    snares = band(dice.noise(t), dice.ratio(700, 3000), dice.ratio(9000, 20_000))
    snappy = dice.between(0.15, 0.7)
    return driven(shells * (1 - snappy) + snares * falling(t, snares_s) * snappy,
                  dice.between(0.0, 2.0))


def tom(dice: Dice) -> np.ndarray:
    """A bridged-T whose pitch falls while it rings, with a breath of low noise."""
    decay_s = dice.ratio(0.08, 0.28)
    t = times(decay_s)
    sweep, sweep_s = dice.between(0.05, 0.8), dice.ratio(0.015, 0.09)
    body = ringing(t, dice.ratio(70, 240), decay_s, sweep, sweep_s)
    breath = band(dice.noise(t), None, dice.ratio(300, 2500)) * falling(t, decay_s * 0.6)
    return driven(body + breath * dice.between(0.0, 0.25), dice.between(0.0, 2.0))


def conga(dice: Dice) -> np.ndarray:
    """The toms' circuit, higher, nearly steady, dry; some with the slap of a hand."""
    decay_s = dice.ratio(0.03, 0.14)
    t = times(decay_s)
    sweep, sweep_s = dice.between(0.0, 0.2), dice.ratio(0.005, 0.03)
    body = ringing(t, dice.ratio(155, 460), decay_s, sweep, sweep_s)
    slap = band(dice.noise(t), dice.ratio(900, 2500), 7000) * falling(t, dice.ratio(2e-3, 8e-3))
    return body + slap * (dice.between(0.05, 0.4) if dice.chance(0.5) else 0.0)


def rimshot(dice: Dice) -> np.ndarray:
    """Two short bridged-Ts, driven, without their lows."""
    decay_s = dice.ratio(0.006, 0.022)
    t = times(decay_s)
    low = ringing(t, dice.ratio(400, 600), decay_s)
    high = ringing(t, dice.ratio(1400, 2100), decay_s * dice.between(0.4, 1.0))
    snap = dice.noise(t) * falling(t, 0.001) * dice.between(0.0, 0.3)
    return band(driven(low + dice.between(0.5, 1.2) * high + snap, dice.between(1, 5)), 250, None)


def claves(dice: Dice) -> np.ndarray:
    """One bridged-T near 2.5 kHz; some with the wood's second mode."""
    decay_s = dice.ratio(0.008, 0.035)
    t = times(decay_s)
    hz = dice.ratio(1700, 3300)
    second = ringing(t, hz * dice.between(1.4, 2.7), decay_s * dice.between(0.2, 0.6))
    return ringing(t, hz, decay_s) + second * (dice.between(0.05, 0.4) if dice.chance(0.5) else 0)


def clap(dice: Dice) -> np.ndarray:
    """Noise in a band near 1 kHz: three or four bursts, then the room."""
    room_s, apart_s = dice.ratio(0.03, 0.13), dice.between(0.007, 0.014)
    bursts = int(dice.random.integers(3, 5))
    t = times(room_s, bursts * apart_s)
    centre_hz, width = dice.ratio(800, 1600), dice.between(1.3, 2.6)
    noise = band(dice.noise(t), centre_hz / width, centre_hz * width)
    hands = sum((falling(t - i * apart_s, dice.ratio(2e-3, 6e-3)) for i in range(bursts)),
                start=np.zeros(len(t)))
    room = falling(t - (bursts - 1) * apart_s, room_s) * dice.between(0.25, 0.8)
    return np.asarray(noise * (hands + room))


def shaker(dice: Dice) -> np.ndarray:
    """High noise that swells for some milliseconds and is gone."""
    rise_s, decay_s = dice.ratio(0.002, 0.03), dice.ratio(0.012, 0.05)
    t = times(decay_s, rise_s)
    swell = np.minimum(t / rise_s, 1.0) ** 2 * np.where(t < rise_s, 1, falling(t - rise_s, decay_s))
    return np.asarray(band(dice.noise(t), dice.ratio(3500, 8000), None) * swell)


def _metal(dice: Dice, t: np.ndarray, oscillators: tuple[float, ...]) -> np.ndarray:
    """The bank of squares, tuned as a whole and each a little off as parts are."""
    off = np.exp(dice.random.normal(0.0, 0.02, len(oscillators)))
    tuned_hz = np.asarray(oscillators) * off * dice.ratio(0.8, 1.4)
    return squares(t, tuned_hz, dice.random.random(len(oscillators)))


def cowbell(dice: Dice) -> np.ndarray:
    """Two squares, a sharp stroke and a longer ring, in a band."""
    stroke_s, ring_s = dice.ratio(0.004, 0.02), dice.ratio(0.04, 0.16)
    t = times(ring_s)
    envelope = falling(t, stroke_s) * dice.between(0.3, 1.0) + falling(t, ring_s) * 0.5
    return band(_metal(dice, t, METAL_HZ[-2:]), dice.ratio(350, 800), dice.ratio(2500, 6000), 1) \
        * envelope


def _hat(dice: Dice, decay_s: float) -> np.ndarray:
    t = times(decay_s)
    hiss = dice.noise(t) * (dice.between(0.2, 1.0) if dice.chance(0.5) else 0.0)
    bright = band(_metal(dice, t, METAL_HZ) + hiss, dice.ratio(5000, 9000), None, 3)
    return np.asarray(bright * falling(t, decay_s))


def closed_hat(dice: Dice) -> np.ndarray:
    """Six squares above a high corner, cut short; half of them with noise as the 909's samples."""
    return _hat(dice, dice.ratio(0.008, 0.045))


def open_hat(dice: Dice) -> np.ndarray:
    """The closed hat left to ring."""
    return _hat(dice, dice.ratio(0.1, 0.45))


def cymbal(dice: Dice) -> np.ndarray:
    """Six squares in two bands: a body that rings, a sizzle that dies sooner; some with noise."""
    ring_s, sizzle_s = dice.ratio(0.25, 0.8), dice.ratio(0.05, 0.4)
    t = times(ring_s)
    source = _metal(dice, t, METAL_HZ)
    source = source + dice.noise(t) * (dice.between(0.2, 1.0) if dice.chance(0.5) else 0.0)
    middle_hz = dice.ratio(2500, 4500)
    body = band(source, middle_hz, middle_hz * 2) * falling(t, ring_s)
    sizzle = band(source, dice.ratio(6500, 9500), None, 3) * falling(t, sizzle_s)
    return np.asarray(body * dice.between(0.2, 1.0) + sizzle * dice.between(0.3, 1.2))


VOICES: dict[str, Callable[[Dice], np.ndarray]] = {
    "clap": clap, "claves": claves, "closed_hat": closed_hat, "conga": conga, "cowbell": cowbell,
    "cymbal": cymbal, "kick": kick, "open_hat": open_hat, "rimshot": rimshot, "shaker": shaker,
    "snare": snare, "tom": tom,
}


def synthesise(class_name: str, number: int, seed: int = 808) -> np.ndarray:
    """One sound of a class of VOICES: float32 (n,) at SAMPLE_RATE_HZ, peak PEAK. The same three
    values give the same sound."""
    which = sorted(VOICES).index(class_name)
    voice = VOICES[class_name](Dice(np.random.default_rng([seed, which, number])))
    audio = soxr.resample(voice, OVERSAMPLED_HZ, SAMPLE_RATE_HZ)
    return np.asarray(audio * (PEAK / np.abs(audio).max()), dtype=np.float32)


class SynthSource:
    """So many sounds of each class, class after class within each number, so that a part of the
    stream is balanced as the whole is."""

    def __init__(self, each: int, seed: int = 808) -> None:
        """Raises CorpusError when `each` is not positive."""
        if each < 1:
            raise CorpusError(f"{PREFIX}:{each}: how many sounds a class must be 1 or more")
        self.each, self.seed = each, seed

    def credits(self) -> dict[str, Credit]:
        """Our own."""
        return {PREFIX: CREDIT}

    def recordings(self, skipped: Skipped) -> Iterator[Recording]:
        """Yield them unmade: each is synthesised where it is read."""
        for number in range(self.each):
            for class_name in VOICES:
                yield Recording(
                    read=functools.partial(self._read, class_name, number),
                    class_name=class_name,
                    origin=f"{PREFIX}/{class_name} {number} of seed {self.seed}",
                    pack=f"{PREFIX}/{class_name}/{number // PACK_SOUNDS}",
                )

    def _read(self, class_name: str, number: int) -> tuple[np.ndarray, int]:
        return synthesise(class_name, number, self.seed), SAMPLE_RATE_HZ


def is_synthesised(origin: str) -> bool:
    """Whether an origin names one of these voices."""
    return re.fullmatch(rf"{PREFIX}/\w+ \d+ of seed \d+", origin) is not None


def parse_synth(text: str) -> SynthSource | None:
    """`synth:500` as a source of 500 sounds a class, `synth:500:7` with seed 7; None when it is
    something else. Raises CorpusError when the numbers are none."""
    name, *numbers = text.split(":")
    if name != PREFIX or not numbers:
        return None
    if len(numbers) > 2 or not all(part.isdecimal() for part in numbers):
        raise CorpusError(f"{text}: write {PREFIX}:SOUNDS or {PREFIX}:SOUNDS:SEED")
    return SynthSource(*(int(part) for part in numbers))
