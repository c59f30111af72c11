"""Audio to normalised log-magnitude image, in NumPy. The way back is griffin_lim.py.

Frames are centred and the signal is padded with silence: uncentred frames give the attack of a
drum a window weight near zero and lose it. Called from the preparation workers and tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gan808.sound.spectral.geometry import Geometry

CLIP_SIGMAS = 3.0  # as SpecGAN: images are clipped at three deviations and scaled to [-1, 1]
AT_ONCE = 32  # frames
CUT_FADE_S = 0.02
# As finishing ends what still rings: images of recordings end as those of rendered sounds do.
WARPED_CUT_FADE_S = 0.25


@dataclass(frozen=True, eq=False)
class Moments:
    """Per-band mean and deviation of the log magnitudes, float32, shape (n_bands,) each."""

    mean: np.ndarray
    deviation: np.ndarray


def hann(n_fft: int) -> np.ndarray:
    """Periodic Hann window, float32, shape (n_fft,)."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft), dtype=np.float32)


def place(audio: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Put a sound whose onset is its first sample into the window of the image.

    audio: float32, shape (n,), at the geometry's rate. Returns float32, shape (n_samples,):
    lead_samples of silence, the sound, a fade if it is cut, silence.
    """
    out = np.zeros(geometry.n_samples, dtype=np.float32)
    room = geometry.n_samples - geometry.lead_samples
    body = np.array(audio[:room], dtype=np.float32)
    if len(audio) > room:
        fade_s = WARPED_CUT_FADE_S if geometry.is_warped else CUT_FADE_S
        n_fade = int(fade_s * geometry.sample_rate_hz)
        body[-n_fade:] *= np.linspace(1.0, 0.0, n_fade, dtype=np.float32)
    out[geometry.lead_samples : geometry.lead_samples + len(body)] = body
    return out


def stft(audio: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """Centred short-time Fourier transform.

    audio: float32, shape (..., n). Returns complex64, shape (..., 1 + n // hop, n_fft // 2 + 1).
    """
    pad = [(0, 0)] * (audio.ndim - 1) + [(n_fft // 2, n_fft // 2)]
    padded = np.pad(audio, pad)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=-1)[..., ::hop, :]
    return np.asarray(np.fft.rfft(frames * hann(n_fft), axis=-1), dtype=np.complex64)


def log_image(audio: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Log-magnitude image of placed audio, before normalisation.

    audio: float32, shape (..., n_samples). Returns float32, shape (..., n_bands, columns),
    natural logarithm of magnitude plus floor.
    """
    if geometry.is_warped:
        flat = audio.reshape(-1, audio.shape[-1])
        images = np.stack([_warped_image(row, geometry) for row in flat])
        return images.reshape(*audio.shape[:-1], *images.shape[1:])
    magnitudes = np.abs(stft(audio, geometry.n_fft, geometry.hop))  # (..., frames, bins)
    bands = magnitudes @ geometry.to_bands  # (..., frames, bands)
    return np.asarray(np.log(np.swapaxes(bands, -1, -2) + geometry.magnitude_floor), np.float32)


def _warped_image(audio: np.ndarray, geometry: Geometry) -> np.ndarray:
    """log_image of one sound, (n_samples,): the silence after its end is not transformed, and the
    rest a few frames at a time, in memory that stays in the cache."""
    from scipy import fft  # a start, which reads a kit, makes no spectrogram

    n_silent = int((audio[::-1] != 0).argmax())
    end = len(audio) - n_silent if audio[-1 - n_silent] else 0
    half = geometry.n_fft // 2
    n_frames = min(geometry.n_frames, 1 + -(-(end + half) // geometry.hop))
    padded = np.pad(audio[: geometry.hop * (n_frames - 1)], (half, half))
    frames = np.lib.stride_tricks.sliding_window_view(padded, geometry.n_fft)[:: geometry.hop]
    window = hann(geometry.n_fft)
    magnitudes = np.empty((n_frames, geometry.n_bins), np.float32)
    for i in range(0, n_frames, AT_ONCE):
        part = frames[i : i + AT_ONCE] * window
        np.abs(fft.rfft(part, workers=1), out=magnitudes[i : i + AT_ONCE])
    to_bands, to_columns = geometry.to_bands, geometry.to_columns[:n_frames]
    if n_frames < geometry.n_columns:  # what leaves less to do comes first
        bands = (magnitudes @ to_bands).T @ to_columns
    else:
        bands = to_bands.T @ (magnitudes.T @ to_columns)
    return np.asarray(np.log(bands + np.float32(geometry.magnitude_floor)), np.float32)


def normalise(image: np.ndarray, moments: Moments) -> np.ndarray:
    """Log image to [-1, 1]: per-band standardised, clipped at three deviations.

    image: float32, shape (..., n_bands, n_frames); returns the same shape.
    """
    scaled = (image - moments.mean[:, None]) / (CLIP_SIGMAS * moments.deviation[:, None])
    return np.asarray(np.clip(scaled, -1.0, 1.0), dtype=np.float32)


def denormalise(image: np.ndarray, moments: Moments) -> np.ndarray:
    """The inverse of normalise, but for what was clipped."""
    scaled = image * (CLIP_SIGMAS * moments.deviation[:, None]) + moments.mean[:, None]
    return np.asarray(scaled, dtype=np.float32)
