"""The engine's memory before NumPy: the same bytes, at offsets that the image knows.

What is written here before the first block is what `Engine` and the machine write in an ordinary
start; then the notes' thread pushes commands. `Engine` adopts both blocks of pages as its arrays.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
import zlib

from gan808.early.image import Image, Unfit
from gan808.engine.kernels.clock_source import clock_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gan808.early.slots import FirstSlot

# layout.COMMAND and layout.SLOT as struct has them; a test compares.
COMMAND = struct.Struct("@qqiiiiffff")
SLOT = struct.Struct("@iffffiii")
WORD = struct.Struct("@q")
TRIGGER, STOP, RELEASE = 0, 1, 2
ALL_SLOTS = NO_CELL = -1
SAMPLE_BYTES = 4


class Pages:
    """Zeroed memory that begins on a page; lives as long as this, or an array made of `pages`."""

    def __init__(self, size: int) -> None:
        self.pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._exported = ctypes.c_char.from_buffer(self.pages)
        self.address = ctypes.addressof(self._exported)


class EarlyEngine:
    """The memory of an engine. cells: those its slots hold, each with the cell of its right channel
    or None. `push` belongs to one thread; port 0 of the engine is the MIDI thread's then."""

    def __init__(self, image: Image, code: dict[str, int], volume: float,
                 slots: list[FirstSlot]) -> None:
        """Raises Unfit for sounds that have no room."""
        facts = image.facts["engine"]
        self.rate_hz: int = facts["rate_hz"]
        self.cell_count: int = facts["cells"]
        self.voices: int = facts["voices"]
        self.cell_frames: int = facts["cell_frames"]
        self.cells: list[tuple[int, int | None]] = []
        # Called once with `dropped` when nobody pushes here any more: who goes on with the ring.
        self.successor: Callable[[int], None] | None = None
        self._dropped = 0
        self._at: dict[str, int] = facts["at"]
        self._guard: int = facts["guard"]
        self._ring: int = facts["ring_commands"]
        self.memory = Pages(facts["size"])
        self.arena = Pages(facts["cells"] * facts["cell_frames"] * SAMPLE_BYTES)
        self.memory.pages[:facts["size"]] = zlib.decompress(image.bytes_at(facts["memory"]))
        self._written = 0
        self._load: Callable[[int], int] = ctypes.PYFUNCTYPE(
            ctypes.c_int64, ctypes.c_void_p)(code["load_word"])
        self._store: Callable[[int, int], None] = ctypes.PYFUNCTYPE(
            None, ctypes.c_void_p, ctypes.c_int64)(code["store_word"])
        self._fill(volume, slots)

    def _fill(self, volume: float, slots: list[FirstSlot]) -> None:
        clock_address, clock_id = clock_source()
        for name, value in (("arena_address", self.arena.address), ("clock_address", clock_address),
                            ("clock_id", clock_id), ("live", 1)):
            WORD.pack_into(self.memory.pages, self._at[name], value)
        for name in ("master", "master_target"):
            struct.pack_into("@f", self.memory.pages, self._at[name], volume)
        next_cell = 0
        for index, slot in enumerate(slots):
            cell = NO_CELL
            if slot.channels:
                cell = next_cell
                right = cell + 1 if slot.channels > 1 else None
                next_cell += slot.channels
                self._write_sound(slot, cell)
                self.cells.append((cell, right))
            values = slot.values
            # The mark is the number that the machine's ledger will give the same sound.
            SLOT.pack_into(
                self.memory.pages, self._at["slots"] + index * SLOT.size, cell, values["level"],
                values["tune"], values["decay"], values["pan"], int(values["mute"]),
                int(values["choke"]), len(self.cells) if slot.channels else 0)

    def _write_sound(self, slot: FirstSlot, cell: int) -> None:
        """The sound into the cell, and its right channel into the one after."""
        room = self.cell_frames - 2 * self._guard
        if not 0 < slot.frames <= room or cell + slot.channels > self.cell_count:
            raise Unfit("a sound with no room in the arena")
        samples = memoryview(slot.audio).cast("f")
        for channel in range(slot.channels):
            begin = ((cell + channel) * self.cell_frames + self._guard) * SAMPLE_BYTES
            own = samples[channel::slot.channels].tobytes()
            self.arena.pages[begin:begin + len(own)] = own
            self._set_of_cell("cell_length", cell + channel, slot.frames)
        if slot.channels > 1:
            self._set_of_cell("cell_right", cell, cell + 1)

    def _set_of_cell(self, name: str, cell: int, value: int) -> None:
        WORD.pack_into(self.memory.pages, self._at[name] + WORD.size * cell, value)

    def trigger(self, slot: int, velocity: float) -> None:
        """Starts a voice now, velocity 0..1."""
        self._push(TRIGGER, slot, velocity)

    def release(self, slot: int) -> None:
        """Ends a gated slot's voices."""
        self._push(RELEASE, slot)

    def stop(self) -> None:
        """Silences everything."""
        self._push(STOP, ALL_SLOTS)

    def _push(self, kind: int, slot: int, velocity: float = 0.0) -> None:
        address = self.memory.address
        if self._written - self._load(address + self._at["ring_read"]) >= self._ring:
            self._dropped += 1
            return
        COMMAND.pack_into(
            self.memory.pages, self._at["ring"] + self._written % self._ring * COMMAND.size,
            0, 0, kind, slot, 0, 0, velocity, 1.0 if kind == TRIGGER else 0.0, 0.0, 0.0)
        self._written += 1
        self._store(address + self._at["ring_write"], self._written)

    def hand_over(self) -> None:
        """Nothing is pushed any more: whoever goes on with the ring is told. Once."""
        successor, self.successor = self.successor, None
        if successor is not None:
            successor(self._dropped)

    def load(self, address: int) -> int:
        """The int64 at an address, acquired."""
        return self._load(address)

    def store(self, address: int, value: int) -> None:
        """Puts an int64 at an address, released."""
        self._store(address, value)
