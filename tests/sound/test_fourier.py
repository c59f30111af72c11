"""The compiled transform, held against NumPy's."""

import numpy as np
import pytest

from gan808.sound.spectral.fourier import backward, forward, places, twiddles
from gan808.sound.spectral.simd import LANES


def rows_of(signals):
    """complex (n, LANES) as the transform's rows."""
    return np.stack([signals.real, signals.imag], axis=1).astype(np.float32).ravel()


def signals_of(rows, n):
    parts = rows.reshape(n, 2, LANES)
    return parts[:, 0] + 1j * parts[:, 1]


@pytest.mark.parametrize("n", [32, 64, 128, 256, 512, 1024, 2048])
def test_forward_is_the_fourier_transform_and_backward_undoes_it(n):
    """Lengths of both kinds, radix 4 alone and after one of 2; float32 errors grow with log n."""
    random = np.random.default_rng(n)
    signals = random.standard_normal((n, LANES)) + 1j * random.standard_normal((n, LANES))
    rows, odd = rows_of(signals), bool(n.bit_length() % 2 == 0)
    forward(rows, n, twiddles(n), odd)
    wanted = np.fft.fft(signals, axis=0)
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(signals_of(rows, n)[places(n)], wanted, atol=1e-6 * scale)
    backward(rows, n, twiddles(n), odd)
    np.testing.assert_allclose(signals_of(rows, n) / n, signals, atol=3e-6)


@pytest.mark.parametrize("n", [32, 64, 1024])
def test_every_bin_has_one_place(n):
    np.testing.assert_array_equal(np.sort(places(n)), np.arange(n))
