"""`gan808` with an interpreter that is held up again and again: its lock is kept within a C call.

    python -m benchmarks.support.held_up run ...

What any extension module may do to a program, only worse: for two seconds no thread of Python runs.
"""

from __future__ import annotations

import ctypes
import threading
import time

from gan808.cli.main import main

HELD_UP_S, FREE_S = 2.0, 1.0
BEGINS_S = 8.0


def hold_up() -> None:
    """Keep the lock, let go of it, for ever."""
    library = ctypes.PyDLL(None)  # which does not give up the lock
    time.sleep(BEGINS_S)
    while True:
        library.usleep(round(1e6 * HELD_UP_S))
        time.sleep(FREE_S)


if __name__ == "__main__":
    threading.Thread(target=hold_up, daemon=True).start()
    main()
