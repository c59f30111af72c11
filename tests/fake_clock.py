"""The fake engine's clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes import FakeEngine


class FakeClock:
    """Stands still until the test mixes."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self._began_s = time.monotonic()

    def frame_now(self) -> int:
        return self._engine.frame

    def frame_at(self, monotonic_s: float) -> int:
        return round((monotonic_s - self._began_s) * self._engine.sample_rate_hz)

    def time_at(self, frame: int) -> float:
        return self._began_s + frame / self._engine.sample_rate_hz
