"""A file of the user's own as a finished sound: what /slot/SLOT/load plays.

It stays what it is: mono or stereo, its attack untouched. Silence around it is cut, it ends without
a click, and it is as loud as its class is in the kit. NumPy and soxr; pure functions, any thread.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np

from gan808.errors import RenderError
from gan808.sound.descriptors import describe
from gan808.sound.finish import END_FADE_S, END_RATIO
from gan808.sound.kit.kit import to_rate
from gan808.sound.recording import ALIKE, PREROLL_S, SILENT_PEAK, mono
from gan808.sound.sound import Sound
from gan808.sound.spectral.spectrogram import WARPED_CUT_FADE_S

DIGITS = 12


class Balancing(Protocol):
    """What is needed of a kit: its name, and how loud its classes are."""

    @property
    def name(self) -> str: ...

    def balanced(self, audio: np.ndarray, sample_rate_hz: int, class_name: str) -> np.ndarray: ...


def file_sound(
    audio: np.ndarray, rate_hz: int, name: str, kit: Balancing, class_name: str,
    sample_rate_hz: int, longest_s: float,
) -> Sound:
    """The sound of what was read from the file `name`, float32 (n, channels) at rate_hz, as loud
    as that class, at sample_rate_hz and no longer than longest_s. Equal audio gives equal sounds.

    Raises RenderError for silence.
    """
    content = np.ascontiguousarray(audio, "<f4").tobytes()
    digest = hashlib.sha256(f"{audio.shape} {rate_hz}".encode() + content).hexdigest()[:DIGITS]
    sides = _ended(_of_one_or_two(audio), rate_hz, longest_s)
    if sides is None:
        raise RenderError(f"{name}: is silent")
    own = kit.balanced(sides, rate_hz, class_name)
    return Sound(
        kit=kit.name, class_asked=class_name, seed=0, class_heard=class_name, confidence=0.0,
        realness=0.0, audio=to_rate(own, rate_hz, sample_rate_hz), sample_rate_hz=sample_rate_hz,
        descriptors=describe(own if own.ndim == 1 else own[:, 0], rate_hz),
        file=f"{name}@{digest}",
    )


def _of_one_or_two(audio: np.ndarray) -> np.ndarray:
    """Mono (n,) where the channels hold the same, stereo (n, 2); of more than two the loudest."""
    one = mono(audio)
    if audio.shape[1] != 2:
        return one
    left, right = audio.T.astype(np.float64)
    apart = np.mean((left - right) ** 2)
    same = apart <= 4 * (1 - ALIKE) * np.mean(audio.astype(np.float64) ** 2)
    return one if same else audio


def _ended(audio: np.ndarray, rate_hz: int, longest_s: float) -> np.ndarray | None:
    """From just before what is heard to where it is heard no more, or cut with a fade; None for
    silence."""
    envelope = np.abs(audio if audio.ndim == 2 else audio[:, None]).max(axis=1, initial=0.0)
    peak = envelope.max(initial=0.0)
    if peak < SILENT_PEAK:
        return None
    heard = np.flatnonzero(envelope > END_RATIO * peak)
    first = max(0, heard[0] - int(PREROLL_S * rate_hz))
    fade_s, most = END_FADE_S, int(longest_s * rate_hz)
    end = int(heard[-1]) + 1 + int(END_FADE_S * rate_hz)
    if end - first > most:
        fade_s, end = WARPED_CUT_FADE_S, first + most
    own = np.array(audio[first:end], dtype=np.float32)
    n = min(int(fade_s * rate_hz), len(own) // 2)
    if n:
        fall = (0.5 + 0.5 * np.cos(np.pi * np.arange(1, n + 1) / n)).astype(np.float32)
        own[-n:] *= fall if own.ndim == 1 else fall[:, None]
    return own
