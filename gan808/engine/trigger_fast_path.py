"""Plain hits from OSC played without the interpreter: waits for a datagram and plays it if it is
one.

The datagram is only looked at. The caller then receives it as any other and does everything but the
playing, so that order is kept, nothing is played twice, and what is no plain hit is played as
before. One thread, the owner of the port.
"""

from __future__ import annotations

import ctypes
import select
import socket
from collections.abc import Sequence

import numpy as np

from gan808.engine.engine import Port
from gan808.engine.jit import object_cache
from gan808.engine.trigger_layout import ADDRESS, ARRIVED, FAST_PATH, KEYS, PLAYED

__all__ = ["ARRIVED", "PLAYED", "TriggerFastPath"]

# Modules the routine is compiled from.
SOURCES = (
    "layout", "kernels.atomics", "kernels.voices", "kernels.intrinsics", "trigger_layout",
    "kernels.trigger",
)
_LISTEN = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32)


class TriggerFastPath:
    """On one UDP socket and one of the engine's ports; both must outlive it."""

    def __init__(self, port: Port, descriptor: int) -> None:
        """descriptor: of the socket. Raises OSError on a system without poll."""
        library = ctypes.CDLL(None)
        self._port = port
        self._codes: Sequence[str] = ()
        self._memory = np.zeros(1, FAST_PATH)
        memory = self._memory[0]
        for name in ("poll", "recv"):
            if not hasattr(library, name):
                raise OSError(f"no {name} here")
            memory[name] = ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
        # A struct pollfd: the descriptor, then 16 bits of events before 16 bits of answer.
        memory["entry"] = descriptor, np.array([select.POLLIN, 0], np.int16).view(np.int32)[0]
        memory["flags"] = socket.MSG_PEEK | socket.MSG_DONTWAIT
        memory["port"] = port.index
        memory["address"] = np.frombuffer(ADDRESS, np.uint8)
        self._listen = _LISTEN(object_cache.addresses("kernels.trigger", SOURCES)["listen"])

    def wait(self, codes: Sequence[str], timeout_s: float) -> int:
        """PLAYED: a datagram is there, and its hit is on its way; ARRIVED: one is there; 0: there
        was none in time. codes: the kit's slot codes, in order."""
        if codes is not self._codes:
            self._know(codes)
        address, engine = self._memory.ctypes.data, self._port.engine_address
        found: int = self._listen(address, engine, max(1, round(1000 * timeout_s)))
        if found == PLAYED:
            self._port.pushed_elsewhere()
        return found

    def _know(self, codes: Sequence[str]) -> None:
        names = [(name, slot) for slot, code in enumerate(codes)
                 for name in dict.fromkeys((code, code.lower(), str(slot + 1)))]
        # Longer names take more bytes: not a plain hit's.
        keys = [(int.from_bytes(name.encode().ljust(4, b"\0"), "big"), slot)
                for name, slot in names if name.isascii() and len(name) < 4][:KEYS]
        memory = self._memory[0]
        memory["slots"], memory["keys"] = len(codes), len(keys)
        for index, (key, slot) in enumerate(keys):
            memory["key"][index], memory["slot"][index] = key, slot
        self._codes = codes
