"""How long tests wait, where they must: on a busy machine with two cores anything may take seconds.

No test asks how fast something is: that is for `benchmarks/`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self

SOON_S = 5.0
"""An answer that waits for nothing is there by then; one that hung would take a minute."""

WITHIN_S = 30.0
"""What is going to happen has happened by then."""


def eventually(condition: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """Wait until the condition holds; fails where it does not."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.01)


class Watchdog:
    """Tells when the machine held this process up, so that a test can tell it from its own code.

    A thread that wakes every 5 ms and notes when it woke late while the process did not compute.
    Code that sleeps or waits does not hold it up; code that computes without letting go of the
    interpreter does, but then the process computes.
    """

    TICK_S, LATE_S = 0.005, 0.02

    def __init__(self) -> None:
        self.held_up_s: list[tuple[float, float]] = []  # from, to, on time.monotonic's scale
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def was_held_up(self, from_s: float, to_s: float) -> bool:
        """Whether the machine held the process up at some time between."""
        return any(start <= to_s and end >= from_s for start, end in self.held_up_s)

    def _run(self) -> None:
        woke_s, computed_s = time.monotonic(), time.process_time()
        while not self._over.wait(self.TICK_S):
            now_s, now_computed_s = time.monotonic(), time.process_time()
            late_s = now_s - woke_s - self.TICK_S
            if late_s > self.LATE_S and now_computed_s - computed_s < late_s / 2:
                self.held_up_s.append((woke_s, now_s))
            woke_s, computed_s = now_s, now_computed_s
