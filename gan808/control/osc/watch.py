"""Tells those who watch what plays, as it plays: /watch.

`PlaybackWatch` owns a thread, `osc-watch`, which looks at the engine while anybody watches and
ends when nobody does. It only reads; what it sends is built once for all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from gan808.control.osc.clients import Clients, Sender
from gan808.engine.protocols import EngineLike
from gan808.errors import Guard
from gan808.instrument.parameter import Value
from gan808.sequencer.sequencer import Sequencer

# As often as an eye can tell.
PERIOD_S = 0.033
EXPIRY_S = 10.0


class PlaybackWatch:
    """Who watches, and the thread that tells them."""

    def __init__(
        self, engine: EngineLike, sequencer: Sequencer, codes: Callable[[], Sequence[str]],
        tell: Callable[[str, tuple[Value, ...], list[Sender]], None],
    ) -> None:
        """codes: the slots' codes of the kit that plays, in order. tell(address after /gan808,
        values, receivers) is called on the thread."""
        self._engine, self._sequencer, self._codes = engine, sequencer, codes
        self._tell = tell
        self._clients = Clients(expiry_s=EXPIRY_S)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._count, self._place = 0, -2  # of the thread: sounds begun, and the step told last

    def set(self, client: Sender, on: bool) -> None:
        """A client begins to watch, or no longer does. The OSC thread."""
        if not on:
            self._clients.remove(client)
            return
        self._clients.add(client, client, time.monotonic())
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="osc-watch", daemon=True)
                self._thread.start()

    def renew(self, client: Sender, now_s: float) -> None:
        """The client lives: its time starts again."""
        self._clients.renew(client, now_s)

    def stop(self) -> None:
        """Tell nobody any more."""
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join(timeout=1.0)

    def _run(self) -> None:
        guard = Guard("/watch")
        self._count, self._place = self._engine.begun(1 << 62)[0], -2
        while not self._stopping.wait(PERIOD_S):
            receivers = self._clients.current(time.monotonic())
            if not receivers:
                with self._lock:
                    if not self._clients.current(time.monotonic()):
                        self._thread = None
                        return
                continue
            with guard:
                self._look(receivers)

    def _look(self, receivers: list[Sender]) -> None:
        # Asked for once: another kit's may be fewer.
        codes = self._codes()
        self._count, begun = self._engine.begun(self._count)
        for slot, velocity in dict(begun).items():
            if slot < len(codes):
                self._tell(f"/slot/{codes[slot]}/played", (velocity,), receivers)
        place = self._sequencer.place_at(self._engine.clock.frame_now())
        if place != self._place:
            self._place = place
            self._tell("/seq/playhead", (place,), receivers)
