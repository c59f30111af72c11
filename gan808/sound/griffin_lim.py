"""Batched phase reconstruction as one TensorFlow graph: fast Griffin-Lim.

Griffin and Lim 1984 with the momentum of Perraudin, Balazs and Sondergaard 2013. Runs in the
render process and in training's sample maker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gan808.sound.geometry import Geometry
from gan808.sound.spectrogram import CLIP_SIGMAS, Moments, hann

MOMENTUM = 0.99


def _overlap_gain(geometry: Geometry) -> np.ndarray:
    """One over the summed squared windows, float32, shape (padded length,)."""
    window = hann(geometry.n_fft).astype(np.float64) ** 2
    length = geometry.hop * (geometry.n_frames - 1) + geometry.n_fft
    positions = geometry.hop * np.arange(geometry.n_frames)[:, None] + np.arange(geometry.n_fft)
    total = np.bincount(
        positions.ravel(), weights=np.tile(window, geometry.n_frames), minlength=length
    )
    return np.asarray(1.0 / np.maximum(total, 1e-3), dtype=np.float32)


def make_inverter(
    geometry: Geometry, moments: Moments, *, rounds: int = 32
) -> Callable[[Any], Any]:
    """A graph from normalised images to audio.

    The returned function takes float32 (batch, n_bands, n_frames, 1) in [-1, 1] and gives
    float32 (batch, n_samples), lead silence included. The first phase is that of frames that all
    begin at the onset: a fixed pattern, so equal images give equal audio.
    """
    window = tf.constant(hann(geometry.n_fft))
    gain = tf.constant(_overlap_gain(geometry))
    from_bands = tf.constant(geometry.from_bands)
    mean = tf.constant(moments.mean)
    deviation = tf.constant(CLIP_SIGMAS * moments.deviation)
    half = geometry.n_fft // 2
    random = np.random.Generator(np.random.PCG64(808))
    angle = random.uniform(-np.pi, np.pi, (geometry.n_frames, geometry.n_bins))
    first = tf.constant(np.exp(1j * angle).astype(np.complex64))

    def magnitudes(image: Any) -> Any:
        bands = tf.transpose(image[..., 0], (0, 2, 1)) * deviation + mean
        log_bins = tf.matmul(bands, from_bands)  # (batch, frames, bins)
        floor = tf.math.log(geometry.magnitude_floor)
        return tf.exp(tf.maximum(log_bins, floor)) - geometry.magnitude_floor

    def inverse(spectrum: Any) -> Any:
        frames = tf.signal.irfft(spectrum, [geometry.n_fft]) * window
        return tf.signal.overlap_and_add(frames, geometry.hop) * gain

    def forward(padded: Any) -> Any:
        frames = tf.signal.frame(padded, geometry.n_fft, geometry.hop)
        return tf.signal.rfft(frames * window)

    silence = np.zeros(geometry.hop * (geometry.n_frames - 1) + geometry.n_fft, np.float32)
    silence[half : half + geometry.n_samples] = 1.0
    inside = tf.constant(silence)

    def invert(image: Any) -> Any:
        target = magnitudes(image)
        scale = tf.complex(target, tf.zeros_like(target))
        spectrum = scale * first
        previous = tf.zeros_like(spectrum)
        for _ in tf.range(rounds):
            rebuilt = forward(inverse(spectrum) * inside)
            ahead = rebuilt + MOMENTUM * (rebuilt - previous)
            previous = rebuilt
            length = tf.abs(ahead) + 1e-9
            spectrum = ahead * tf.complex(target / length, tf.zeros_like(length))
        return inverse(spectrum)[:, half : half + geometry.n_samples]

    return tf.function(
        invert,
        input_signature=[tf.TensorSpec((None, geometry.n_bands, geometry.n_frames, 1), tf.float32)],
    )
