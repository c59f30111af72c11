"""How loud the mix is: the default pattern on the default kit, as `gan808 run` plays it."""

from pathlib import Path

import numpy as np

from gan808.engine.layout import LIMITER_THRESHOLD
from tests.app.test_daemon import fast

SHIPPED = Path(__file__).parents[2] / "kits" / "gan808"


def test_a_full_beat_peaks_a_few_decibels_below_full_scale_without_the_limiter(
    tmp_path: Path,
) -> None:
    """Two bars of the default pattern with the factory sounds it starts with."""
    peak = np.abs(fast(SHIPPED, tmp_path, "beat.wav", "--evolve", "0", "--seed", "1")).max()
    assert 10 ** (-6 / 20) < peak < LIMITER_THRESHOLD
