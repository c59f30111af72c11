"""Searches for a kit's nearest sound to a recording, one after the other, a slice at a time.

A search takes seconds; between two of its slices whoever drives it renders what is asked for
meanwhile. Any thread asks, one thread drives.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gan808.errors import Gan808Error, RenderError
from gan808.pool.render_process import RenderProcess
from gan808.sound.sound import Nearest

DeliverNearest = Callable[[Nearest | Gan808Error], None]
MOST_WAITING = 16


@dataclass(frozen=True)
class _Search:
    file: Path
    class_names: Sequence[str]
    deliver: DeliverNearest


class Searches:
    """The search under way and those that wait."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[_Search] = queue.SimpleQueue()
        self._under_way: _Search | None = None

    def ask(self, file: Path, class_names: Sequence[str], deliver: DeliverNearest) -> None:
        """Have a recording looked for in these classes, in all where none is named. deliver is
        called once, by whoever drives the searches or stops them."""
        if self._waiting.qsize() >= MOST_WAITING:
            deliver(RenderError(f"{MOST_WAITING} recordings are waiting to be matched already"))
            return
        self._waiting.put(_Search(file, class_names, deliver))

    def step(self, process: RenderProcess) -> bool:
        """Do a slice of the search under way, in a process that is ready; False when there is
        nothing to do. When the process dies of it, the search gets that as its answer, and
        Gan808Error is raised."""
        search = self._under_way
        try:
            if search is not None:
                result = process.go_on_searching()
            else:
                try:
                    search = self._under_way = self._waiting.get_nowait()
                except queue.Empty:
                    return False
                result = process.begin_search(search.file, search.class_names)
        except Gan808Error as error:
            self.give_up(error)
            if not isinstance(error, RenderError) or not process.alive():
                raise
            return True
        if isinstance(result, Nearest):
            self._under_way = None
            search.deliver(result)
        return True

    def give_up(self, error: Gan808Error) -> None:
        """The process is gone: the search under way fails. Those that wait go to the next
        process."""
        search, self._under_way = self._under_way, None
        if search is not None:
            search.deliver(error)

    def fail_all(self, error: Gan808Error) -> None:
        """There will be no other process: every search fails."""
        self.give_up(error)
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait().deliver(error)
