"""The shape of a spectrogram: one frozen value from which every array size follows.

The paper's geometry (Donahue et al. 2018) is linear; the house's warps the bins into bands that
are linear at the bottom and logarithmic at the top, which costs little and keeps 44.1 kHz.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gan808.errors import KitError

STRIDES = 32  # five stride-2 layers: both image sides are a multiple of it


@dataclass(frozen=True)
class Geometry:
    """Sample rate, STFT and image of a kit.

    n_bands: image rows. linear_to_hz: every FFT bin is a band of its own up to here, bands are
    spaced logarithmically from here to half the sample rate; 0 means linear throughout, the bin
    at half the sample rate dropped (as SpecGAN does). n_frames: image columns.
    magnitude_floor: added to magnitudes before the logarithm (a full-scale sine has n_fft / 4).
    The house's lies 82 dB below that sine: under it recordings hold only their own hiss, by which
    a critic would learn to tell the classes.
    """

    sample_rate_hz: int
    n_fft: int
    hop: int
    n_bands: int
    n_frames: int
    linear_to_hz: float
    magnitude_floor: float

    def __post_init__(self) -> None:
        problems = []
        if not 4000 <= self.sample_rate_hz <= 192000:
            problems.append(f"sample_rate_hz {self.sample_rate_hz} is not in 4000..192000")
        if not 32 <= self.n_fft <= 8192 or self.n_fft % 4:
            problems.append(f"n_fft {self.n_fft} is not a multiple of 4 in 32..8192")
        if not self.n_fft // 16 <= self.hop <= self.n_fft // 2:
            problems.append(f"hop {self.hop} is not between n_fft/16 and n_fft/2")
        for name in ("n_bands", "n_frames"):
            value = getattr(self, name)
            if value < STRIDES or value % STRIDES or value > 1024:
                problems.append(f"{name} {value} is not a multiple of {STRIDES} up to 1024")
        if self.linear_to_hz < 0 or self.linear_to_hz >= self.sample_rate_hz / 2:
            problems.append(f"linear_to_hz {self.linear_to_hz} is not in 0..half the sample rate")
        if not 1e-9 <= self.magnitude_floor <= 1.0:
            problems.append(f"magnitude_floor {self.magnitude_floor} is not in 1e-9..1")
        if not problems:
            if self.linear_to_hz == 0 and self.n_bands != self.n_fft // 2:
                problems.append(f"linear bands must be n_fft/2 = {self.n_fft // 2} in number")
            elif self.linear_to_hz > 0 and self.n_bands <= self._n_linear:
                problems.append(f"n_bands {self.n_bands} leaves none above linear_to_hz")
        if problems:
            raise KitError("geometry: " + "; ".join(problems))

    @property
    def n_bins(self) -> int:
        """FFT bins, half the sample rate included."""
        return self.n_fft // 2 + 1

    @property
    def n_samples(self) -> int:
        """Samples of audio behind one image (centred frames: hop * (n_frames - 1))."""
        return self.hop * (self.n_frames - 1)

    @property
    def duration_s(self) -> float:
        return self.n_samples / self.sample_rate_hz

    @property
    def lead_samples(self) -> int:
        """Silence before the onset, so that the attack lies inside full windows."""
        return self.n_fft // 2

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(bands, frames, 1)."""
        return (self.n_bands, self.n_frames, 1)

    @property
    def _bin_hz(self) -> float:
        return self.sample_rate_hz / self.n_fft

    @property
    def _n_linear(self) -> int:
        return int(self.linear_to_hz / self._bin_hz) + 1

    @cached_property
    def band_centres_hz(self) -> np.ndarray:
        """Centre of every band, float64, shape (n_bands,), rising."""
        if self.linear_to_hz == 0:
            return np.arange(self.n_bands) * self._bin_hz
        linear = np.arange(self._n_linear) * self._bin_hz
        n_log = self.n_bands - self._n_linear
        top = np.geomspace(linear[-1], self.sample_rate_hz / 2, n_log + 1)[1:]
        return np.concatenate([linear, top])

    @cached_property
    def to_bands(self) -> np.ndarray:
        """Triangular filters, float32, shape (n_bins, n_bands); each column sums to 1."""
        bins_hz = np.arange(self.n_bins) * self._bin_hz
        centres = self.band_centres_hz
        lower = np.concatenate([[-self._bin_hz], centres[:-1]])
        upper = np.concatenate([centres[1:], [centres[-1] + self._bin_hz]])
        rising = (bins_hz[:, None] - lower) / (centres - lower)
        falling = (upper - bins_hz[:, None]) / (upper - centres)
        weights = np.maximum(0.0, np.minimum(rising, falling))
        empty = weights.sum(axis=0) < 1e-9  # narrower than a bin: take the nearest
        nearest = np.abs(bins_hz[:, None] - centres).argmin(axis=0)
        weights[nearest[empty], np.flatnonzero(empty)] = 1.0
        return np.asarray(weights / weights.sum(axis=0), dtype=np.float32)

    @cached_property
    def from_bands(self) -> np.ndarray:
        """Linear interpolation from band centres to bins, float32, shape (n_bands, n_bins)."""
        bins_hz = np.arange(self.n_bins) * self._bin_hz
        identity = np.eye(self.n_bands)
        columns = [np.interp(bins_hz, self.band_centres_hz, row) for row in identity]
        return np.asarray(columns, dtype=np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for kit.toml."""
        return asdict(self)


HOUSE = Geometry(
    sample_rate_hz=44100, n_fft=1024, hop=256, n_bands=192, n_frames=128,
    linear_to_hz=4000.0, magnitude_floor=2e-2,
)
PAPER = Geometry(
    sample_rate_hz=16000, n_fft=256, hop=128, n_bands=128, n_frames=128,
    linear_to_hz=0.0, magnitude_floor=1e-6,
)
GEOMETRIES = {"house": HOUSE, "paper": PAPER}
