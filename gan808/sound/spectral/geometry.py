"""The shape of a spectrogram: one frozen value from which every array size follows.

The paper's geometry (Donahue et al. 2018) is linear; the house's is warped twice, which costs
little and keeps 44.1 kHz and 2.4 s: bins into bands that are linear at the bottom and logarithmic
at the top, frames into columns that are single ones at the attack and average ever more after it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gan808.errors import KitError
from gan808.sound.spectral.between import Between

STRIDES = 32  # five stride-2 layers: both image sides are a multiple of it


@dataclass(frozen=True)
class Geometry:
    """Sample rate, STFT and image of a kit.

    n_bands: image rows. linear_to_hz: every FFT bin is a band of its own up to here, bands are
    spaced logarithmically from here to half the sample rate; 0 means linear throughout, the bin
    at half the sample rate dropped (as SpecGAN does). n_frames: STFT frames. n_columns: image
    columns; 0 means uniform, each frame is one. linear_columns: in a warped geometry so many first
    columns are single frames, from there the steps between columns widen geometrically.
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
    n_columns: int = 0
    linear_columns: int = 0

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
        problems += self._column_problems()
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

    def _column_problems(self) -> list[str]:
        if self.n_columns == 0:
            return ["linear_columns without n_columns"] if self.linear_columns else []
        if not 0 < self.n_columns < self.n_frames or self.n_columns % STRIDES:
            which = f"neither 0 nor a multiple of {STRIDES} below n_frames"
            return [f"n_columns {self.n_columns} is {which}"]
        if not 1 <= self.linear_columns < self.n_columns:
            return [f"linear_columns {self.linear_columns} is not in 1..n_columns - 1"]
        return []

    @property
    def is_warped(self) -> bool:
        """Whether columns average frames."""
        return self.n_columns > 0

    def uniform(self, n_frames: int) -> Geometry:
        """The same with so many frames, each a column of its own."""
        return replace(self, n_frames=n_frames, n_columns=0, linear_columns=0)

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
        """(bands, columns, 1)."""
        return (self.n_bands, self.n_columns or self.n_frames, 1)

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
        return _triangles(np.arange(self.n_bins) * self._bin_hz, self.band_centres_hz)

    @cached_property
    def from_bands(self) -> np.ndarray:
        """Linear interpolation from band centres to bins, float32, shape (n_bands, n_bins)."""
        return _interpolation(np.arange(self.n_bins) * self._bin_hz, self.band_centres_hz)

    @cached_property
    def bins_between(self) -> Between:
        """from_bands, two terms a bin."""
        return Between.from_matrix(self.from_bands)

    @cached_property
    def column_centres(self) -> np.ndarray:
        """Centre of every column in frames, float64, shape (columns,), rising from 0 to the last
        frame. Steps grow by one ratio, so that nothing jumps where the warp begins."""
        if not self.is_warped:
            return np.arange(self.n_frames, dtype=np.float64)
        linear = np.arange(self.linear_columns, dtype=np.float64)
        n_wide = self.n_columns - self.linear_columns
        room = self.n_frames - self.linear_columns  # frames from the last single one to the end
        powers = np.arange(1, n_wide + 1)
        low, high = 1.0, float(room)
        for _ in range(64):  # bisection: the sum of the steps rises with the ratio
            ratio = (low + high) / 2
            too_far = powers[-1] * np.log(ratio) > np.log(room) or (ratio**powers).sum() > room
            low, high = (low, ratio) if too_far else (ratio, high)
        steps = low ** powers
        wide = linear[-1] + np.cumsum(steps * (room / steps.sum()))
        return np.concatenate([linear, wide])

    @cached_property
    def to_columns(self) -> np.ndarray:
        """Triangular filters, float32, shape (n_frames, columns); each column sums to 1."""
        return _triangles(np.arange(self.n_frames, dtype=np.float64), self.column_centres)

    @cached_property
    def from_columns(self) -> np.ndarray:
        """Linear interpolation from column centres to frames, float32, (columns, n_frames)."""
        return _interpolation(np.arange(self.n_frames), self.column_centres)

    @cached_property
    def frames_between(self) -> Between:
        """from_columns, two terms a frame."""
        return Between.from_matrix(self.from_columns)

    @cached_property
    def frames_a_column(self) -> np.ndarray:
        """How many frames lie between the columns around each frame, float64, (n_frames,)."""
        return np.interp(np.arange(self.n_frames), self.column_centres,
                         np.gradient(self.column_centres))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for kit.toml; of a uniform geometry those of the first format."""
        content = asdict(self)
        if not self.is_warped:
            del content["n_columns"], content["linear_columns"]
        return content


def _triangles(places: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Filters that average evenly spaced places around rising centres: float32, shape
    (len(places), len(centres)); each column sums to 1."""
    step = places[1] - places[0]
    lower = np.concatenate([[-step], centres[:-1]])
    upper = np.concatenate([centres[1:], [centres[-1] + step]])
    rising = (places[:, None] - lower) / (centres - lower)
    falling = (upper - places[:, None]) / (upper - centres)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    empty = weights.sum(axis=0) < 1e-9  # narrower than a step: take the nearest
    nearest = np.abs(places[:, None] - centres).argmin(axis=0)
    weights[nearest[empty], np.flatnonzero(empty)] = 1.0
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float32)


def _interpolation(places: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Linear interpolation from rising centres to places: float32, (len(centres), len(places))."""
    rows = [np.interp(places, centres, row) for row in np.eye(len(centres))]
    return np.asarray(rows, dtype=np.float32)


HOUSE = Geometry(
    sample_rate_hz=44100, n_fft=1024, hop=256, n_bands=192, n_frames=416,
    linear_to_hz=4000.0, magnitude_floor=2e-2, n_columns=128, linear_columns=64,
)
HOUSE_UNIFORM = HOUSE.uniform(128)  # of the kits before the warp: 0.74 s
PAPER = Geometry(
    sample_rate_hz=16000, n_fft=256, hop=128, n_bands=128, n_frames=128,
    linear_to_hz=0.0, magnitude_floor=1e-6,
)
GEOMETRIES = {"house": HOUSE, "paper": PAPER}
