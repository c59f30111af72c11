"""Who gets OSC events, who waits for what, and how often anybody is told that something failed.

Each class says which threads use it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

# An address as socket.recvfrom gives it: (host, port) or IPv6's longer tuple.
Sender = tuple[Any, ...]


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

    def add(self, client: Sender, sender: Sender, now_s: float) -> bool:
        """Register a client at the sender's request; False when there are too many.

        A client other than the sender only listens, so anything from its host renews it.
        """
        kept = {other: c for other, c in self._clients.items() if c.until_s > now_s}
        if client not in kept and len(kept) >= self.limit:
            return False
        renewed_by = sender if client == sender else str(sender[0])
        self._clients = {**kept, client: _Client(now_s + self._expiry_s, renewed_by)}
        return True

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


class Outstanding:
    """Commands begun and not yet answered, and who waits for them to be. Any thread."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._next = 0
        self._open: dict[int, Sender] = {}
        self._waiting: list[tuple[set[int], Callable[[], None]]] = []

    def begin(self, sender: Sender) -> int | None:
        """A ticket for one command; None when too many are open."""
        with self._lock:
            if len(self._open) >= self._limit:
                return None
            self._next += 1
            self._open[self._next] = sender
            return self._next

    def end(self, ticket: int) -> None:
        """The command is done, or has failed. Calls back those who waited for it."""
        with self._lock:
            self._open.pop(ticket, None)
            for tickets, _ in self._waiting:
                tickets.discard(ticket)
            ready = [callback for tickets, callback in self._waiting if not tickets]
            self._waiting = [entry for entry in self._waiting if entry[0]]
        for callback in ready:
            callback()

    def when_done(self, sender: Sender, callback: Callable[[], None]) -> bool:
        """Call back when everything the sender has begun is done, perhaps at once.

        False, and no call, when too many wait already.
        """
        with self._lock:
            tickets = {ticket for ticket, owner in self._open.items() if owner == sender}
            if len(self._waiting) >= self._limit:
                return False
            if tickets:
                self._waiting.append((tickets, callback))
        if not tickets:
            callback()
        return True
