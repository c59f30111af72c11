"""A peer of an Ableton Link session, through aalink, an optional extra: `gan808[link]`.

`LinkPeer` is what sequencer/sync.py follows; any thread may call it. Link's own threads talk to the
other peers; nothing here waits for them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gan808.errors import ConfigError

if TYPE_CHECKING:
    import asyncio

# A reading in between which the thread was held up longer than this is taken again.
MAX_READING_S = 50e-6
READINGS = 8
BEATS_PER_BAR = 4


class LinkPeer:
    """One peer, from when it joins to `close`."""

    def __init__(self, link: Any, loop: asyncio.AbstractEventLoop, *, start_stop: bool) -> None:
        self._link = link
        self._loop = loop
        self._start_stop = start_stop
        link.quantum = float(BEATS_PER_BAR)
        link.start_stop_sync_enabled = start_stop
        link.enabled = True

    @property
    def peers(self) -> int:
        """How many others there are."""
        return int(self._link.num_peers)

    @property
    def tempo_bpm(self) -> float:
        return float(self._link.tempo)

    @property
    def playing(self) -> bool | None:
        """Whether the session plays; None where starts and stops are not shared."""
        return bool(self._link.playing) if self._start_stop else None

    def beat(self) -> tuple[float, float]:
        """The session's beat and the time.monotonic at which it was that beat.

        Link tells the beat of now only, on a clock of its own: it is read between two looks at
        ours, and again where those lie apart.
        """
        best = (0.0, 0.0, float("inf"))
        for _ in range(READINGS):
            before_s = time.monotonic()
            beat = float(self._link.beat)
            after_s = time.monotonic()
            if after_s - before_s < best[2]:
                best = (beat, (before_s + after_s) / 2, after_s - before_s)
            if best[2] < MAX_READING_S:
                break
        return best[0], best[1]

    def set_tempo(self, tempo_bpm: float) -> None:
        """For everybody in the session."""
        self._link.tempo = tempo_bpm

    def set_playing(self, playing: bool) -> None:
        """For everybody who shares starts and stops, if we do."""
        if self._start_stop:
            self._link.playing = playing

    def close(self) -> None:
        """Leave the session; safe to call twice."""
        self._link.enabled = False
        if not self._loop.is_closed():
            self._loop.close()


def open_link(tempo_bpm: float, *, start_stop: bool = False) -> LinkPeer:
    """Join the session on this network, or begin one with that tempo.

    Raises ConfigError where aalink is not installed.
    """
    import asyncio  # with aalink, a fiftieth of a second that no other start should pay

    try:
        from aalink import Link
    except ImportError:
        raise ConfigError("sync link: aalink is not installed; get it with "
                          "pip install 'gan808[link]'") from None
    # aalink wants a running loop for its futures; none is ever asked for, so it runs for no longer.
    loop = asyncio.new_event_loop()
    link = loop.run_until_complete(_made(Link, tempo_bpm))
    return LinkPeer(link, loop, start_stop=start_stop)


async def _made(kind: Any, tempo_bpm: float) -> Any:
    return kind(tempo_bpm)
