"""The sequencer's own thread, "gan808-sequencer": keeps it ahead of the engine's clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from gan808.errors import Guard


class SequencerThread:
    """Wakes every 20 ms and keeps the sequencer ahead of the engine's clock."""

    PERIOD_S = 0.02

    def __init__(
        self, advance: Callable[[int, int], None], frame_now: Callable[[], int],
        ahead_frames: Callable[[], int],
    ) -> None:
        """advance(until_frame, not_before) is called on this thread; frame_now tells the time,
        ahead_frames how far the sequencer is to be ahead of it."""
        self._advance = advance
        self._frame_now = frame_now
        self._ahead_frames = ahead_frames
        self._wakes: SimpleQueue[bool] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="gan808-sequencer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Look at once, not at the end of the 20 ms. Any thread; never waits."""
        self._wakes.put(True)

    def stop(self) -> None:
        """Returns when the thread has ended."""
        self._wakes.put(False)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        guard = Guard("the sequencer")
        while self._sleep():
            with guard:
                now, ahead = self._frame_now(), self._ahead_frames()
                # One lead of grace: a step that late is still heard as late, not as wrong.
                self._advance(now + ahead, now - ahead)

    def _sleep(self) -> bool:
        """Until the period is over or somebody wakes it; False when it is to end."""
        try:
            return self._wakes.get(timeout=self.PERIOD_S)
        except Empty:
            return True
