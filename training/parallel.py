"""Work on every core, results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

IN_FLIGHT_A_CORE = 8  # enough to keep a core busy; what is in flight is in memory


def in_order(work: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
    """work(item) of every item, computed on all cores by threads and yielded in the items' order.

    items are drawn as they are needed, on the caller's thread. An exception of work is raised
    where its result was due.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    n_threads = cores or 1
    pending: deque[Future[Out]] = deque()
    with ThreadPoolExecutor(n_threads, thread_name_prefix="prepare") as pool:
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) >= IN_FLIGHT_A_CORE * n_threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
