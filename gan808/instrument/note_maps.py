"""Notes that electronic drum kits send beside General MIDI's: which of its notes each stands for.

After the makers' tables: Roland TD-17 and TD-27, "MIDI note numbers"; Alesis Nitro and Command,
"pad MIDI notes". Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from gan808.config import NoteMap
from gan808.sound.kit.slots import SlotLayout

# Of a pad's zones: the rim of the snare, of toms, edges of hats, edges and bells of cymbals.
SNARE_RIM, TOM_RIMS = {40: (37, 38)}, {50: (48,), 47: (45,), 58: (43,), 39: (41, 43)}
CYMBAL_ZONES = {55: (49,), 52: (57, 49), 57: (49,), 59: (51, 49), 53: (51, 49), 51: (49,)}
STANDS_FOR: Mapping[NoteMap, Mapping[int, tuple[int, ...]]] = MappingProxyType({
    "gm": MappingProxyType({}),
    "roland-td": MappingProxyType(
        SNARE_RIM | TOM_RIMS | CYMBAL_ZONES | {22: (42,), 26: (46,), 44: (42,)}),
    "alesis": MappingProxyType(
        SNARE_RIM | TOM_RIMS | CYMBAL_ZONES | {23: (46,), 21: (46,), 44: (42,)}),
})
# The pedal's place: 0 open, 127 closed.
HIHAT_PEDAL = 4
OPEN_HATS = ("open_hat",)
# A hat that is as good as closed rings this share of its sound.
CLOSED_DECAY = 0.1


def slot_of_note(layouts: Sequence[SlotLayout], note_map: NoteMap = "gm") -> dict[int, int]:
    """The slot 0..15 that each note plays: a kit's own notes, and a drum module's zones.

    A zone that a map names goes where the first of the notes that it stands for goes; where the
    kit has none of those, the kit's own notes hold.
    """
    own = {note: index for index, layout in enumerate(layouts) for note in layout.notes}
    zones = {note: next((own[other] for other in others if other in own), None)
             for note, others in STANDS_FOR[note_map].items()}
    keeps = CYMBAL_ZONES.keys() & own.keys()  # a kit with a crash and a ride has them apart
    return own | {note: slot for note, slot in zones.items()
                  if slot is not None and note not in keeps}


def decay_of_pedal(value: int) -> float:
    """Decay 0..1 of an open hat for a pedal that is so far down, 0..127."""
    return 1.0 - (1.0 - CLOSED_DECAY) * value / 127
