"""The clock behind time.monotonic, for compiled code. Imports next to nothing; any thread."""

from __future__ import annotations

import ctypes
import time

SAME_CLOCK_S = 0.001


def clock_source() -> tuple[int, int]:
    """Address of clock_gettime and the id of the clock behind time.monotonic; (0, 0) without one.

    Systems differ in which POSIX clock that is, so each candidate is read and compared.
    """
    library = ctypes.CDLL(None) if hasattr(time, "clock_gettime") else None
    if library is None or not hasattr(library, "clock_gettime"):
        return 0, 0
    for name in ("CLOCK_MONOTONIC", "CLOCK_UPTIME_RAW"):
        identifier = getattr(time, name, None)
        if identifier is None:
            continue
        before_s, reading_s, after_s = (
            time.monotonic(), time.clock_gettime(identifier), time.monotonic())
        if before_s - SAME_CLOCK_S <= reading_s <= after_s + SAME_CLOCK_S:
            address = ctypes.cast(library.clock_gettime, ctypes.c_void_p).value
            return int(address or 0), int(identifier)
    return 0, 0
