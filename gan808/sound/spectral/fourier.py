"""Fourier transforms of LANES complex signals at a time, in place, inside numba functions.

Rows hold one point of all the signals: their real parts, then their imaginary parts. Forward,
decimation in frequency leaves the bins in digit-reversed order; backward, decimation in time takes
them in that order (Cooley and Tukey 1965, Gentleman and Sande 1966): between the two nobody has to
sort, only to know with `places` where a bin lies. Lengths are powers of two: radix 4, and one pass
of radix 2 where the logarithm is odd. Each quarter is finished before the next is begun, so that it
stays in the nearest cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gan808.sound.spectral.simd import LANES, load, splat, store

ROW = 2 * LANES  # numbers in a row

compiled: Any = njit(error_model="numpy")


def _radices(n: int) -> list[int]:
    return [2] * (n.bit_length() % 2 == 0) + [4] * ((n.bit_length() - 1) // 2)


def places(n: int) -> np.ndarray:
    """The row of each bin after `forward`: int64, shape (n,), n a power of two."""
    bins = np.zeros(1, dtype=np.int64)
    for radix in reversed(_radices(n)):
        bins = (radix * bins + np.arange(radix)[:, None]).ravel()
    return np.asarray(np.argsort(bins), dtype=np.int64)


def twiddles(n: int) -> np.ndarray:
    """Cosines and sines of every pass in the order of their use, float32, shape (m,)."""
    parts, span = [], n
    for radix in _radices(n):
        j, r = np.arange(span // radix)[:, None], np.arange(1, radix)
        angle = -2.0 * np.pi * r * j / span
        parts.append(np.stack([np.cos(angle), np.sin(angle)], axis=-1).ravel())
        span //= radix
    return np.concatenate(parts).astype(np.float32)


@compiled
def _split_in_two(rows: Any, n: int, turns: Any) -> None:
    """First pass of radix 2."""
    half = n // 2 * ROW
    for j in range(n // 2):
        a, b = j * ROW, j * ROW + half
        ar, ai, br, bi = load(rows, a), load(rows, a + LANES), load(rows, b), load(rows, b + LANES)
        c, s = splat(turns[2 * j]), splat(turns[2 * j + 1])
        store(rows, a, ar + br)
        store(rows, a + LANES, ai + bi)
        yr, yi = ar - br, ai - bi
        store(rows, b, yr * c - yi * s)
        store(rows, b + LANES, yr * s + yi * c)


@compiled
def _join_two(rows: Any, n: int, turns: Any) -> None:
    """The inverse of _split_in_two, but for a factor of 2."""
    half = n // 2 * ROW
    for j in range(n // 2):
        a, b = j * ROW, j * ROW + half
        ar, ai, xr, xi = load(rows, a), load(rows, a + LANES), load(rows, b), load(rows, b + LANES)
        c, s = splat(turns[2 * j]), splat(turns[2 * j + 1])
        br, bi = xr * c + xi * s, xi * c - xr * s
        store(rows, a, ar + br)
        store(rows, a + LANES, ai + bi)
        store(rows, b, ar - br)
        store(rows, b + LANES, ai - bi)


@compiled
def _turned(real: Any, imaginary: Any, turns: Any, at: int) -> Any:
    u, v = splat(turns[at]), splat(turns[at + 1])
    return real * u - imaginary * v, real * v + imaginary * u


@compiled
def _turned_back(real: Any, imaginary: Any, turns: Any, at: int) -> Any:
    u, v = splat(turns[at]), splat(turns[at + 1])
    return real * u + imaginary * v, imaginary * u - real * v


@compiled
def _split_in_four(rows: Any, first: int, span: int, turns: Any, at: int) -> None:
    """One pass of radix 4 over `span` rows from `first`; its turns begin at `at`."""
    quarter = span // 4 * ROW
    for j in range(span // 4):
        a = (first + j) * ROW
        b, c, d, w = a + quarter, a + 2 * quarter, a + 3 * quarter, at + 6 * j
        ar, ai, br, bi = load(rows, a), load(rows, a + LANES), load(rows, b), load(rows, b + LANES)
        cr, ci, dr, di = load(rows, c), load(rows, c + LANES), load(rows, d), load(rows, d + LANES)
        er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
        gr, gi, hr, hi = br + dr, bi + di, bi - di, dr - br
        store(rows, a, er + gr)
        store(rows, a + LANES, ei + gi)
        br, bi, cr, ci, dr, di = fr + hr, fi + hi, er - gr, ei - gi, fr - hr, fi - hi
        if j > 0:  # the first are turned by nothing: a quarter of all
            br, bi = _turned(br, bi, turns, w)
            cr, ci = _turned(cr, ci, turns, w + 2)
            dr, di = _turned(dr, di, turns, w + 4)
        store(rows, b, br)
        store(rows, b + LANES, bi)
        store(rows, c, cr)
        store(rows, c + LANES, ci)
        store(rows, d, dr)
        store(rows, d + LANES, di)


@compiled
def _join_four(rows: Any, first: int, span: int, turns: Any, at: int) -> None:
    """The inverse of _split_in_four, but for a factor of 4."""
    quarter = span // 4 * ROW
    for j in range(span // 4):
        a = (first + j) * ROW
        b, c, d, w = a + quarter, a + 2 * quarter, a + 3 * quarter, at + 6 * j
        ar, ai, br, bi = load(rows, a), load(rows, a + LANES), load(rows, b), load(rows, b + LANES)
        cr, ci, dr, di = load(rows, c), load(rows, c + LANES), load(rows, d), load(rows, d + LANES)
        if j > 0:
            br, bi = _turned_back(br, bi, turns, w)
            cr, ci = _turned_back(cr, ci, turns, w + 2)
            dr, di = _turned_back(dr, di, turns, w + 4)
        er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
        gr, gi, hr, hi = br + dr, bi + di, di - bi, br - dr
        store(rows, a, er + gr)
        store(rows, a + LANES, ei + gi)
        store(rows, b, fr + hr)
        store(rows, b + LANES, fi + hi)
        store(rows, c, er - gr)
        store(rows, c + LANES, ei - gi)
        store(rows, d, fr - hr)
        store(rows, d + LANES, fi - hi)


@compiled
def forward(rows: Any, n: int, turns: Any, odd: bool) -> None:
    """Transform rows, float32 (n * ROW,), in place; odd: whether log2(n) is."""
    top, at = n, 0
    if odd:
        _split_in_two(rows, n, turns)
        top, at = n // 2, n
    for start in range(0, n, top):
        _forward_four(rows, start, top, turns, at)


@compiled
def _forward_four(rows: Any, start: int, top: int, turns: Any, at: int) -> None:
    _split_in_four(rows, start, top, turns, at)
    below = at + 6 * (top // 4)
    for quarter in range(start, start + top, max(top // 4, 1)):
        span, t = top // 4, below
        while span > 1:
            for first in range(quarter, quarter + top // 4, span):
                _split_in_four(rows, first, span, turns, t)
            t += 6 * (span // 4)
            span //= 4


@compiled
def backward(rows: Any, n: int, turns: Any, odd: bool) -> None:
    """The inverse of forward, but for a factor of n."""
    top, at = (n // 2, n) if odd else (n, 0)
    for start in range(0, n, top):
        _backward_four(rows, start, top, turns, at)
    if odd:
        _join_two(rows, n, turns)


@compiled
def _backward_four(rows: Any, start: int, top: int, turns: Any, at: int) -> None:
    for quarter in range(start, start + top, max(top // 4, 1)):
        span, t = 4, turns.size - 6
        while span <= top // 4:
            for first in range(quarter, quarter + top // 4, span):
                _join_four(rows, first, span, turns, t)
            span *= 4
            t -= 6 * (span // 4)
    _join_four(rows, start, top, turns, at)
