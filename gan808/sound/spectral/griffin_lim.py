"""From normalised images to audio: magnitudes, a first phase, rounds of fast Griffin-Lim.

Griffin and Lim 1984 with the momentum of Perraudin, Balazs and Sondergaard 2013, one sound after
the other, so that a sound does not depend on its company. phase_kernel.py does the rounds where the
geometry allows it; NumPy and SciPy do where it does not. Runs in the render process and in
training's sample maker.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from scipy import fft

from gan808.sound.spectral.first_phase import noise, overlaps_little
from gan808.sound.spectral.fluctuation import fluctuation
from gan808.sound.spectral.fourier import places, twiddles
from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.phase_kernel import GROUP, HALF, phase_kernel
from gan808.sound.spectral.spectrogram import Moments, denormalise, hann

MOMENTUM = 0.99
QUIET = 1e-3  # -60 dB of the loudest column: what comes after the last louder one is cut off
# by finishing, so it needs no phase


def padded_samples(geometry: Geometry) -> int:
    """Samples that the frames span, half a frame of padding at either end included."""
    return geometry.hop * (geometry.n_frames - 1) + geometry.n_fft


def overlap_gain(geometry: Geometry) -> np.ndarray:
    """One over the summed squared windows, zero in the padding: float32 (padded length,)."""
    window = hann(geometry.n_fft).astype(np.float64) ** 2
    positions = geometry.hop * np.arange(geometry.n_frames)[:, None] + np.arange(geometry.n_fft)
    total = np.bincount(positions.ravel(), weights=np.tile(window, geometry.n_frames))
    gain = 1.0 / np.maximum(total, 1e-3)
    half = geometry.n_fft // 2
    gain[:half] = gain[half + geometry.n_samples :] = 0.0
    return np.asarray(gain, dtype=np.float32)


def make_inverter(
    geometry: Geometry, moments: Moments, *, rounds: int = 40
) -> Callable[..., np.ndarray]:
    """A function from normalised images, float32 (batch, n_bands, columns, 1) in [-1, 1], to
    float32 (batch, n_samples), lead silence included. Equal images give equal audio.

    Its second argument, None or as many numbers from 0 up, names the streams from which averaged
    columns fluctuate; without it they follow from the images.
    """
    reconstruct = make_reconstructor(geometry, rounds=rounds)

    def invert(images: Any, streams: Sequence[int] | None = None) -> np.ndarray:
        given = np.asarray(images, dtype=np.float32)[..., 0]
        if streams is None:
            streams = [zlib.crc32(image.tobytes()) for image in given]
        audio = np.zeros((len(given), geometry.n_samples), dtype=np.float32)
        for row, image, stream in zip(audio, given, streams, strict=True):
            sound = reconstruct(magnitudes(image, geometry, moments, stream))
            row[: len(sound)] = sound
        return audio

    return invert


def magnitudes(
    image: np.ndarray, geometry: Geometry, moments: Moments, stream: int = 0
) -> np.ndarray:
    """Magnitudes of a normalised image, float32 (n_bands, columns): float32 (n_bins, n), n the
    geometry's n_frames, or in a warped one as many as the sound has above its floor, rounded up to
    what the kernel takes."""
    log_bands = denormalise(image, moments)
    floor = np.float32(np.log(geometry.magnitude_floor))
    if not geometry.is_warped:
        return _linear(geometry.bins_between.of(log_bands, axis=0), floor, geometry)
    n_frames = _sounding_frames(_linear(log_bands, floor, geometry), geometry)
    n_columns = int(np.searchsorted(geometry.column_centres, n_frames - 1)) + 1
    log_bins = geometry.bins_between.of(log_bands[:, :n_columns], axis=0)
    log_frames = geometry.frames_between.part(0, n_frames).of(log_bins, axis=1)
    loud = np.maximum(log_bins, floor)
    loud_frames = _linear(log_frames, floor, geometry)
    loud_frames *= fluctuation(loud, geometry, n_frames, stream)
    return loud_frames


def _linear(log: np.ndarray, floor: np.float32, geometry: Geometry) -> np.ndarray:
    """Magnitudes of log magnitudes, float32 of any shape. Double precision, as below."""
    loud = np.maximum(log, floor).astype(np.float64)
    np.exp(loud, out=loud)
    loud -= geometry.magnitude_floor
    return np.asarray(loud, np.float32)


def _sounding_frames(columns: np.ndarray, geometry: Geometry) -> int:
    """How many frames sound, of magnitudes float32 (n_bands, columns); all where some are not
    finite, for Renderer.rejection to find."""
    # A band stands for its bins. Added row by row, so in one order on every processor.
    energy = (geometry.from_bands.sum(axis=1)[:, None] * np.square(columns)).sum(axis=0)
    if not np.isfinite(energy).all():
        return geometry.n_frames
    loud = np.flatnonzero(energy > QUIET**2 * energy.max())
    after = loud[-1] + 1 if len(loud) else 0
    if after == len(energy):
        return geometry.n_frames
    n_frames = int(np.ceil(geometry.column_centres[after])) + 1
    return min(-(-n_frames // GROUP) * GROUP, geometry.n_frames)


def make_reconstructor(geometry: Geometry, *, rounds: int) -> Callable[[np.ndarray], np.ndarray]:
    """A function from magnitudes, float32 (n_bins, n), to float32 (hop * (n - 1),); n is n_frames
    or, in a warped geometry, any multiple of 32 below it too."""
    if geometry.is_warped:
        by_length = cache(lambda n: make_reconstructor(geometry.uniform(n), rounds=rounds))
        return lambda target: by_length(target.shape[1])(target)
    power_of_two = geometry.n_fft & (geometry.n_fft - 1) == 0
    if power_of_two and geometry.n_fft % geometry.hop == 0 and geometry.n_frames % GROUP == 0:
        return _compiled(geometry, rounds)
    return lambda target: reconstruct_plainly(target, geometry, rounds)


def _compiled(geometry: Geometry, rounds: int) -> Callable[[np.ndarray], np.ndarray]:
    n, hop, n_frames = geometry.n_fft, geometry.hop, geometry.n_frames
    blocks = padded_samples(geometry) // hop
    stride = -(-blocks // HALF) * HALF
    gain = np.zeros((hop, stride), dtype=np.float32)
    gain[:, :blocks] = overlap_gain(geometry).reshape(blocks, hop).T / n  # the transform's factor
    fixed = (hann(n), gain.ravel(), twiddles(n), places(n), hop, n_frames, rounds)
    run, _ = phase_kernel()
    still = None if overlaps_little(geometry) else _cosine_and_sine(noise(geometry))

    def reconstruct(target: np.ndarray) -> np.ndarray:
        cosine, sine = still or _cosine_and_sine(first_phase(target, geometry))
        flat = np.ascontiguousarray(target).ravel()
        table = run(flat, cosine, sine, *fixed, np.float32(MOMENTUM)).reshape(hop, stride)
        return table[:, :blocks].T.ravel()[n // 2 : n // 2 + geometry.n_samples]

    return reconstruct


def first_phase(target: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Where the rounds begin: phases, (n_bins, n_frames), of magnitudes float32 of that shape.
    Equal magnitudes give equal phases."""
    if not overlaps_little(geometry):
        return noise(geometry)
    _, follow_peaks = phase_kernel()
    onset = geometry.n_fft // 2 + geometry.lead_samples
    return follow_peaks(np.ascontiguousarray(target), geometry.n_fft, geometry.hop, onset)


def _cosine_and_sine(phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of phases (n_bins, n_frames): float32 (n_bins * n_frames,) each. Double precision rounds to
    the same float32 whichever of NumPy's ways the processor takes."""
    flat = phase.astype(np.float64).ravel()
    return np.cos(flat).astype(np.float32), np.sin(flat).astype(np.float32)


def reconstruct_plainly(target: np.ndarray, geometry: Geometry, rounds: int) -> np.ndarray:
    """The same in NumPy and SciPy, for any geometry; tests hold the kernel against it."""
    n, hop = geometry.n_fft, geometry.hop
    window, gain = hann(n), overlap_gain(geometry)
    wanted = target.T

    def signal_of(spectrum: np.ndarray) -> np.ndarray:
        signal = np.zeros(padded_samples(geometry), dtype=np.float32)
        for i, frame in enumerate(fft.irfft(spectrum, n, workers=1) * window):
            signal[i * hop : i * hop + n] += frame
        return signal * gain

    phase = first_phase(target, geometry).T.astype(np.float32)
    signal = signal_of(wanted * np.exp(1j * phase))
    last = np.zeros_like(signal)
    for _ in range(rounds):
        ahead, last = signal + np.float32(MOMENTUM) * (signal - last), signal
        frames = np.lib.stride_tricks.sliding_window_view(ahead, n)[::hop] * window
        spectrum = fft.rfft(frames, workers=1)
        signal = signal_of(wanted * spectrum / np.maximum(np.abs(spectrum), 1e-9))
    return signal[n // 2 : n // 2 + geometry.n_samples]
