"""Who gets OSC events, who waits for what, and how often anybody is told that something failed.

Each class says which threads use it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

# An address as socket.recvfrom gives it: (host, port) or IPv6's longer tuple.
Sender = tuple[Any, ...]
# Of what is bounded for each sender, all together may have so many times as much: one whose clock
# is a day ahead fills its own share and leaves the others theirs.
SHARES = 4


@dataclass(frozen=True, slots=True)
class _Client:
    """Until when a client is registered, and whose messages show that it lives."""

    until_s: float
    renewed_by: Sender | str


class Clients:
    """Clients registered for events; those silent for `expiry_s` drop out.

    Changed by the OSC thread only; `current` may be called from any thread, since the dictionary
    is replaced whole.
    """

    def __init__(self, *, limit: int = 64, expiry_s: float = 300.0) -> None:
        self.limit = limit
        self._expiry_s = expiry_s
        self._clients: dict[Sender, _Client] = {}

    def add(self, client: Sender, sender: Sender, now_s: float) -> None:
        """Register a client at the sender's request. Of too many the one silent longest goes.

        A client other than the sender only listens, so anything from its host renews it.
        """
        kept = {other: c for other, c in self._clients.items() if c.until_s > now_s}
        if client not in kept and len(kept) >= self.limit:
            del kept[min(kept, key=lambda other: kept[other].until_s)]
        renewed_by = sender if client == sender else str(sender[0])
        self._clients = {**kept, client: _Client(now_s + self._expiry_s, renewed_by)}

    def remove(self, client: Sender) -> None:
        """Forget a client; nothing happens if it was not registered."""
        self._clients = {other: c for other, c in self._clients.items() if other != client}

    def renew(self, sender: Sender, now_s: float) -> None:
        """A sign of life: the time of registered clients it speaks for starts again."""
        signs = (sender, sender[0])
        renewed = {
            client: replace(c, until_s=now_s + self._expiry_s)
            for client, c in self._clients.items() if c.renewed_by in signs and c.until_s > now_s
        }
        if renewed:
            self._clients = {**self._clients, **renewed}

    def current(self, now_s: float) -> list[Sender]:
        """Those who get events now."""
        return [client for client, c in self._clients.items() if c.until_s > now_s]


class Limit:
    """At most `burst` at once and `rate_hz` in the long run. Any thread."""

    def __init__(self, rate_hz: float, burst: int) -> None:
        self._rate_hz = rate_hz
        self._burst = burst
        self._left = float(burst)
        self._last_s = 0.0
        self._lock = threading.Lock()

    def allows(self, now_s: float) -> bool:
        """Whether one more may happen now; counts it if so."""
        with self._lock:
            refill = max(0.0, now_s - self._last_s) * self._rate_hz
            self._left = min(float(self._burst), self._left + refill)
            self._last_s = now_s
            allowed = self._left >= 1.0
            self._left -= allowed
            return allowed


class Limits:
    """A Limit for each host: who floods uses up nobody else's share. Any thread.

    Of more than `hosts` the one seen longest ago begins anew.
    """

    def __init__(self, rate_hz: float, burst: int, *, hosts: int = 256) -> None:
        self._new = partial(Limit, rate_hz, burst)
        self._hosts = hosts
        self._lock = threading.Lock()
        self._limits: dict[str, Limit] = {}

    def allows(self, host: str, now_s: float) -> bool:
        """Whether that host may have one more now; counts it if so."""
        with self._lock:
            limit = self._limits.pop(host, None) or self._new()
            self._limits[host] = limit
            if len(self._limits) > self._hosts:
                del self._limits[next(iter(self._limits))]
        return limit.allows(now_s)


class Outstanding:
    """Commands begun and not yet answered, and who waits for them to be. Any thread.

    limit: for each sender; all together may have SHARES times as many.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._next = 0
        self._owners: dict[int, Sender] = {}
        # A sender's open tickets, oldest first, and its callbacks with the last ticket before each.
        self._open: dict[Sender, dict[int, None]] = {}
        self._waiting: dict[Sender, deque[tuple[int, Callable[[], None]]]] = {}
        self._waiters = 0

    def begin(self, sender: Sender) -> int | None:
        """A ticket for one command; None when too many are open."""
        with self._lock:
            own = self._open.get(sender, {})
            if len(own) >= self._limit or len(self._owners) >= SHARES * self._limit:
                return None
            self._next += 1
            self._owners[self._next] = sender
            self._open.setdefault(sender, own)[self._next] = None
            return self._next

    def end(self, ticket: int) -> None:
        """The command is done, or has failed. Calls back those who waited for it."""
        ready = []
        with self._lock:
            sender = self._owners.pop(ticket, None)
            if sender is None:
                return
            own, waiting = self._open[sender], self._waiting.get(sender, deque())
            own.pop(ticket)
            oldest = next(iter(own), None)
            while waiting and (oldest is None or oldest > waiting[0][0]):
                ready.append(waiting.popleft()[1])
                self._waiters -= 1
            if not waiting:
                self._waiting.pop(sender, None)
            if not own:
                del self._open[sender]
        for callback in ready:
            callback()

    def when_done(self, sender: Sender, callback: Callable[[], None]) -> bool:
        """Call back when everything the sender has begun is done, perhaps at once.

        False, and no call, when too many wait already.
        """
        with self._lock:
            own = self._open.get(sender)
            if self._waiters >= self._limit:
                return False
            if own:
                last = next(reversed(own))
                self._waiting.setdefault(sender, deque()).append((last, callback))
                self._waiters += 1
        if not own:
            callback()
        return True
