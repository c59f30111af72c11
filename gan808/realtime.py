"""Which threads run first: the interpreter's turns, and real-time scheduling where the system
grants it.

Each function acts on the calling thread or the whole process; nothing is kept.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

# How long a thread may keep the interpreter from one that a note has just woken. Python's own
# 5 ms is two blocks of sound.
TURN_S = 0.0005
# Below every audio server's and driver's threads, above all that is not real-time. Where nobody
# chose, JACK's server runs at 10 and what it calls in its clients, ours among them, at 5.
PRIORITY = 2
TASKS = "/proc/self/task"


def take_short_turns() -> None:
    """Shorten the turns of Python's threads in this process, so that none makes a hit wait for
    long."""
    sys.setswitchinterval(TURN_S)


def request_realtime() -> bool:
    """Ask for real-time scheduling of the calling thread; False where it is not granted.

    What the thread starts is not real-time itself.
    """
    try:
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(PRIORITY))
    except (AttributeError, OSError):  # not on this system, or not for this user
        return False
    return True


def realtime_is_granted() -> bool:
    """Whether `request_realtime` would be granted; leaves the calling thread as it was."""
    if not request_realtime():
        return False
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


def realtime_threads() -> int:
    """How many threads of this process are scheduled in real time; 0 where nobody can tell."""
    try:
        tasks = [int(task.name) for task in os.scandir(TASKS)]
    except OSError:
        return 0
    return sum(_is_realtime(task) for task in tasks)


def _is_realtime(task: int) -> bool:
    try:
        return os.sched_getscheduler(task) & 0xFF in (os.SCHED_FIFO, os.SCHED_RR)
    except (AttributeError, OSError):  # not on this system, or the thread has ended meanwhile
        return False
