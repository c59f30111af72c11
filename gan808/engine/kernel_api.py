"""The engine's compiled routines as Python calls them. Loads them when first asked; any thread."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from gan808.engine.jit import object_cache

# Modules that the routines of kernels/callback.py are compiled from.
KERNEL_SOURCES = (
    "layout", "kernels.atomics", "kernels.intrinsics", "kernels.voices", "kernels.mixing",
    "kernels.tape", "kernels.slots", "kernels.midi", "kernels.queue", "kernels.callback",
)

_ADDRESS = ctypes.c_void_p
# This one gives up the interpreter lock, as mixing a block on the caller's thread should.
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int32, _ADDRESS, _ADDRESS, ctypes.c_ulong, _ADDRESS,
                             ctypes.c_ulong, _ADDRESS)
# These keep it: they take nanoseconds, and who gives it up on the way of a note may wait for it.
_LOAD = ctypes.PYFUNCTYPE(ctypes.c_int64, _ADDRESS)
_STORE = ctypes.PYFUNCTYPE(None, _ADDRESS, ctypes.c_int64)
_READ_CLOCK = ctypes.PYFUNCTYPE(ctypes.c_int32, _ADDRESS, _ADDRESS, _ADDRESS)


@dataclass(frozen=True, slots=True)
class Routines:
    """What engine and ports call; addresses are integers.

    callback_address: a PaStreamCallback, whose userdata is the engine's memory; callback calls it
    without the interpreter lock: (None, out, frames, None, flags, memory). load acquires the int64
    at an address, store(address, value) releases it. read_clock(clock_index, clock_time, out) fills
    float64 (3,) with frame, its time in seconds and seconds per frame, and returns 0 when the
    callback was writing: try again.
    """

    callback_address: int
    callback: Callable[..., int]
    load: Callable[[int], int]
    store: Callable[[int, int], None]
    read_clock: Callable[[int, int, int], int]


@cache
def routines() -> Routines:
    """Those of this process: kept code in milliseconds, or compiled in seconds."""
    at = object_cache.addresses("kernels.callback", KERNEL_SOURCES)
    return Routines(
        callback_address=at["callback"], callback=_CALLBACK(at["callback"]),
        load=_LOAD(at["load_word"]), store=_STORE(at["store_word"]),
        read_clock=_READ_CLOCK(at["read_clock"]),
    )
