"""Fast Griffin-Lim of one sound, compiled: everything but the target's making happens in here.

Griffin and Lim 1984 with the momentum of Perraudin, Balazs and Sondergaard 2013. Three things make
it quick. The momentum is applied to the signal, which is the same as to its transform and spares
the memory of a second spectrogram. The signal lies as a table of hop rows by blocks, so that
frames in a row are neighbours, cut and overlapped without a gather. And frames that lie HALF apart
are transformed as the real and imaginary parts of one signal. Runs on the caller's thread, without
the interpreter's lock.

Frames are taken GROUP by GROUP, and in a group as many at once as a vector has numbers (simd.py).
Which frames share a transform, and in which order they are added, is the group's: a sound is the
same to the bit whatever the vector.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np

from gan808.sound.spectral.first_phase import follow_peaks
from gan808.sound.spectral.fourier import ROW, backward, compiled, forward
from gan808.sound.spectral.simd import LANES, load, splat, sqrt, store

SOURCES = ("phase_kernel", "first_phase", "fourier", "simd")
GROUP, HALF = 32, 16  # frames
PARTS = HALF // LANES  # transforms of a group
TINY = np.float32(1e-18)  # under a square root: no division by zero


@compiled
def _put(rows: Any, p: int, q: int, ar: Any, ai: Any, br: Any, bi: Any) -> None:
    """Bin k of two real signals' transforms, a + ib at row k and its mirror at row n - k."""
    store(rows, p, ar - bi)
    store(rows, p + LANES, ai + br)
    store(rows, q, ar + bi)
    store(rows, q + LANES, br - ai)


@compiled
def _begin(
    rows: Any, n: int, place: Any, target: Any, n_frames: int, frame: int, cosine: Any, sine: Any
) -> None:
    """Spectra of frames from magnitudes and phases, float32 (bins * n_frames,) each: LANES from
    `frame` and as many from HALF after it."""
    for k in range(n // 2 + 1):
        a, b = k * n_frames + frame, k * n_frames + frame + HALF
        ar, br = load(target, a) * load(cosine, a), load(target, b) * load(cosine, b)
        ai, bi = load(target, a) * load(sine, a), load(target, b) * load(sine, b)
        if k == 0 or 2 * k == n:  # real
            ai, bi = ai - ai, bi - bi
        _put(rows, place[k] * ROW, place[(n - k) % n] * ROW, ar, ai, br, bi)


@compiled
def _project(rows: Any, n: int, place: Any, target: Any, n_frames: int, frame: int) -> None:
    """Give spectra the target's magnitudes and leave them their phases."""
    tiny = splat(TINY)
    for k in range(n // 2 + 1):
        p, q = place[k] * ROW, place[(n - k) % n] * ROW
        zr, zi = load(rows, p), load(rows, p + LANES)
        yr, yi = load(rows, q), load(rows, q + LANES)
        ar, ai, br, bi = zr + yr, zi - yi, zi + yi, yr - zr
        a = load(target, k * n_frames + frame) / sqrt(ar * ar + ai * ai + tiny)
        b = load(target, k * n_frames + frame + HALF) / sqrt(br * br + bi * bi + tiny)
        _put(rows, p, q, ar * a, ai * a, br * b, bi * b)


@compiled
def _cut(rows: Any, n: int, hop: int, signal: Any, stride: int, window: Any, frame: int) -> None:
    """Windowed frames of a signal float32 (hop * stride,): sample s lies at (s % hop, s // hop)."""
    for row in range(n):
        weight = splat(window[row])
        at, to = row % hop * stride + frame + row // hop, row * ROW
        store(rows, to, load(signal, at) * weight)
        store(rows, to + LANES, load(signal, at + HALF) * weight)


@compiled
def _overlap(
    rows: Any, n: int, hop: int, signal: Any, stride: int, window: Any, frame: int
) -> None:
    """Add the windowed frames of a whole group to a signal, row after row: the adjoint of _cut."""
    for row in range(n):
        weight = splat(window[row])
        for part in range(PARTS):
            at = (part * n + row) * ROW
            to = row % hop * stride + frame + row // hop + part * LANES
            store(signal, to, load(signal, to) + load(rows, at) * weight)
            store(signal, to + HALF, load(signal, to + HALF) + load(rows, at + LANES) * weight)


@compiled
def _lead(summed: Any, gain: Any, last: Any, ahead: Any, momentum: float) -> None:
    """The signal of the sum so far into last, with momentum into ahead; the sum is emptied."""
    factor = splat(np.float32(momentum))
    nothing = splat(np.float32(0.0))
    for i in range(0, summed.size, LANES):
        now = load(summed, i) * load(gain, i)
        store(ahead, i, now + factor * (now - load(last, i)))
        store(last, i, now)
        store(summed, i, nothing)


def _compile(build: int, cached: bool) -> Any:
    @numba.njit(cache=cached, nogil=True, error_model="numpy")
    def run(
        target: Any, cosine: Any, sine: Any, window: Any, gain: Any, turns: Any, place: Any,
        hop: int, n_frames: int, rounds: int, momentum: float,
    ) -> Any:
        n = place.size
        odd, stride = int(math.log2(n) + 0.5) % 2 == 1, gain.size // hop
        of_part = n * ROW
        rows = np.empty(PARTS * of_part, np.float32)
        summed, last = np.zeros(gain.size, np.float32), np.zeros(gain.size, np.float32)
        ahead = np.empty(gain.size, np.float32)
        for frame in range(0, n_frames, GROUP):
            for part in range(PARTS):
                own, first = rows[part * of_part : (part + 1) * of_part], frame + part * LANES
                _begin(own, n, place, target, n_frames, first, cosine, sine)
                backward(own, n, turns, odd)
            _overlap(rows, n, hop, summed, stride, window, frame)
        for _ in range(rounds if build >= 0 else build):
            _lead(summed, gain, last, ahead, momentum)
            for frame in range(0, n_frames, GROUP):
                for part in range(PARTS):
                    own, first = rows[part * of_part : (part + 1) * of_part], frame + part * LANES
                    _cut(own, n, hop, ahead, stride, window, first)
                    forward(own, n, turns, odd)
                    _project(own, n, place, target, n_frames, first)
                    backward(own, n, turns, odd)
                _overlap(rows, n, hop, summed, stride, window, frame)
        return summed * gain

    @numba.njit(cache=cached, nogil=True, error_model="numpy")
    def phases(target: Any, n_fft: int, hop: int, onset: int) -> Any:
        return follow_peaks(target, n_fft, hop, onset if build >= 0 else 0)

    return run, phases


def source_fingerprint() -> int:
    """63 bits that change with any of the modules the kernel is compiled from: numba's cache looks
    at one of them only."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return int.from_bytes(digest.digest()[:8], "little") >> 1


@cache
def phase_kernel() -> tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]:
    """run, and first_phase.follow_peaks compiled.

    run(target, cosine, sine, window, gain, turns, place, hop, n_frames, rounds, momentum) takes
    target, cosine, sine: float32 (bins * n_frames,), magnitudes and first phases, bin by bin;
    window float32 (n_fft,); gain float32 (hop * stride,), what the overlapped sum is weighed by, in
    the signal's order, zero outside of the sound; turns and place: fourier.py's for n_fft. It gives
    float32 (hop * stride,) in that order: sample s at row s % hop, column s // hop. n_frames is a
    multiple of GROUP, hop divides n_fft, stride >= n_frames + n_fft / hop - 1 and a multiple of
    HALF. Compiled at the first call, some seconds, or loaded from numba's cache.
    """
    build = source_fingerprint()
    try:
        return _compile(build, True)
    except RuntimeError as error:  # no folder to cache in
        logging.getLogger("gan808").info("phase kernel not cached: %s", error)
        return _compile(build, False)
