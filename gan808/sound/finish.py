"""Raw audio from Griffin-Lim to a sound that can be played: cut to its onset, rid of its lowest
rumble, ended, levelled. NumPy and SciPy; pure functions."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import signal

from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.spectrogram import WARPED_CUT_FADE_S

ATTACK_SAMPLES = 32  # fade-in, at 44.1 kHz 0.7 ms; Griffin-Lim's pre-echo lies before it
ONSET_RATIO = 0.03
HIGH_PASS_HZ = 20.0
END_RATIO = 1e-3  # -60 dB: what is quieter than that at the end is cut off
END_FADE_S = 0.01
CUT_FADE_S = 0.12  # for a sound that still rings at the end of the image of 0.74 s
LOUDNESS_DB = -15.0  # RMS of the loudest 50 ms
LOUDEST_S = 0.05
PEAK = 0.95
MOST_GAIN = 30.0
QUIETEST_PEAK = 0.02


def onset(raw: np.ndarray, geometry: Geometry) -> int:
    """First sample of the attack, fade-in included.

    The images put it at lead_samples. Griffin-Lim leaves a pre-echo of up to 15% of the peak in
    the frames that overlap the attack, so nothing before that place is kept; a sound that begins
    later is followed.
    """
    expected = geometry.lead_samples
    loud = np.abs(raw[expected:]) > ONSET_RATIO * np.abs(raw).max()
    return max(0, expected + int(loud.argmax()) - ATTACK_SAMPLES)


@cache
def _high_pass(sample_rate_hz: int) -> np.ndarray:
    """Second-order sections; designing them takes longer than using them."""
    return np.asarray(
        signal.butter(2, HIGH_PASS_HZ, "highpass", fs=sample_rate_hz, output="sos")
    )


def _faded(audio: np.ndarray, geometry: Geometry, rings: bool) -> np.ndarray:
    """Raised-cosine fades, in place, that begin and end in silence."""
    n_in = min(ATTACK_SAMPLES, len(audio) // 4)
    audio[:n_in] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(n_in) / n_in)
    ringing = WARPED_CUT_FADE_S if geometry.is_warped else CUT_FADE_S
    seconds = ringing if rings else END_FADE_S
    n_out = min(int(seconds * geometry.sample_rate_hz), len(audio) // 2)
    audio[-n_out:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, n_out + 1) / n_out)
    return audio


def loudest_rms(audio: np.ndarray, sample_rate_hz: int) -> float:
    """RMS of the loudest 50 ms of mono audio, float32 (n,), n >= 1."""
    n = max(1, min(int(LOUDEST_S * sample_rate_hz), len(audio)))
    energy = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    return float(np.sqrt((energy[n:] - energy[:-n]).max() / n))


def level_gain(audio: np.ndarray, sample_rate_hz: int) -> float:
    """The gain that brings the loudest 50 ms to LOUDNESS_DB without a peak above PEAK."""
    peak = np.abs(audio).max()
    wanted = 10 ** (LOUDNESS_DB / 20) / max(loudest_rms(audio, sample_rate_hz), 1e-10)
    return float(min(wanted, PEAK / max(peak, 1e-9), MOST_GAIN))


def finish(raw: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Finish one sound: float32 (n_samples,) with lead silence to float32 (n,), onset first, at
    the geometry's rate. Silence and values that are not finite come back as they are, for
    Renderer.rejection to find."""
    sounding = len(raw) - int((raw[::-1] != 0).argmax())
    peak = np.abs(raw[:sounding]).max(initial=0.0)
    if not np.isfinite(peak) or peak < 1e-6:
        return np.array(raw, dtype=np.float32)
    n_fade = int(END_FADE_S * geometry.sample_rate_hz)
    # In warped time what follows the last frame that sounds is zeros, up to two seconds of them.
    last = sounding + n_fade if geometry.is_warped else len(raw)
    heard_part = raw[onset(raw, geometry) : last].astype(np.float64)
    audio = signal.sosfilt(_high_pass(geometry.sample_rate_hz), heard_part)
    heard = np.flatnonzero(np.abs(audio) > END_RATIO * np.abs(audio).max())
    end = heard[-1] + n_fade
    rings = last >= len(raw) and end >= len(audio)
    audio = _faded(audio[: min(end, len(audio))], geometry, rings)
    return np.asarray(audio * level_gain(audio, geometry.sample_rate_hz), dtype=np.float32)
