"""What the parts of the machine share: the kit that plays, and the ways to the rest of it.

Given to their constructors. Machine thread, but for `PlayingKit`, which any thread reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gan808.config import NoteMap
from gan808.engine.protocols import EngineLike
from gan808.instrument.disk import DiskWorker
from gan808.instrument.events import Event
from gan808.instrument.note_maps import slot_of_note
from gan808.instrument.protocols import FillerLike, KitLike, LibraryLike, PoolLike
from gan808.instrument.swaps import Swaps


class PlayingKit:
    """The kit that plays, its slot codes, and the slot of each MIDI note; each replaced whole."""

    def __init__(self, kit: KitLike, note_map: NoteMap) -> None:
        self._note_map = note_map
        self.kit = kit
        self.codes = tuple(slot.code for slot in kit.slots)
        self.slot_of_note = slot_of_note(kit.slots, note_map)

    def change(self, kit: KitLike) -> None:
        """Another kit plays from now on."""
        other = PlayingKit(kit, self._note_map)
        self.kit, self.codes, self.slot_of_note = kit, other.codes, other.slot_of_note


@dataclass(frozen=True, slots=True)
class Context:
    """What a part of the machine may use.

    emit tells every listener. post has work done soon on the machine thread. now gives the frame
    that counts as now. disk does what touches a disk.
    """

    playing: PlayingKit
    swaps: Swaps
    engine: EngineLike
    pool: PoolLike
    filler: FillerLike
    library: LibraryLike
    disk: DiskWorker
    emit: Callable[[Event], None]
    post: Callable[..., None]
    now: Callable[[], int]

    @property
    def kit(self) -> KitLike:
        return self.playing.kit

    @property
    def codes(self) -> tuple[str, ...]:
        """The slots' codes, in order."""
        return self.playing.codes
