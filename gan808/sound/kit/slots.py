"""Which slots a kit has: the sixteen of a TR-808 and the notes they answer to, and the layout of
a kit with classes of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

FIRST_NOTE = 36
MAX_SLOTS = 16


@dataclass(frozen=True, slots=True)
class SlotLayout:
    """One pad of a kit.

    code: what the player calls it (BD); class_name: the model class it draws from; notes: MIDI
    notes it answers to, the main one first; choke: group 1..8, 0 none; filter: the third of the
    class, by pitch, that it takes.
    """

    code: str
    name: str
    class_name: str
    notes: tuple[int, ...]
    choke: int = 0
    filter: Literal["low", "mid", "high"] | None = None

    @property
    def third(self) -> int | None:
        """filter as a number: 0 low, 1 mid, 2 high."""
        return None if self.filter is None else ("low", "mid", "high").index(self.filter)


HATS = 1  # choke group

# Notes: General MIDI level 1 percussion map.
TR808 = (
    SlotLayout("BD", "Bass Drum", "kick", (36, 35)),
    SlotLayout("SD", "Snare Drum", "snare", (38, 40)),
    SlotLayout("LT", "Low Tom", "tom", (43, 41), filter="low"),
    SlotLayout("MT", "Mid Tom", "tom", (47, 45), filter="mid"),
    SlotLayout("HT", "High Tom", "tom", (50, 48), filter="high"),
    SlotLayout("LC", "Low Conga", "conga", (64,), filter="low"),
    SlotLayout("MC", "Mid Conga", "conga", (63,), filter="mid"),
    SlotLayout("HC", "High Conga", "conga", (62,), filter="high"),
    SlotLayout("RS", "Rim Shot", "rimshot", (37,)),
    SlotLayout("CL", "Claves", "claves", (75,)),
    SlotLayout("CP", "Hand Clap", "clap", (39,)),
    SlotLayout("MA", "Maracas", "shaker", (70,)),
    SlotLayout("CB", "Cowbell", "cowbell", (56,)),
    SlotLayout("CY", "Cymbal", "cymbal", (49, 57, 51)),
    SlotLayout("OH", "Open Hi-Hat", "open_hat", (46,), choke=HATS),
    SlotLayout("CH", "Closed Hi-Hat", "closed_hat", (42, 44), choke=HATS),
)

# What acoustic kits have besides, by the General MIDI level 1 percussion map; the note comes before
# that of a broader class in TR808 (a crash is 49 where there is one, not the cymbal).
ACOUSTIC = (
    SlotLayout("SS", "Side Stick", "side_stick", (37,)),
    SlotLayout("PH", "Pedal Hi-Hat", "pedal_hat", (44,), choke=HATS),
    SlotLayout("CR", "Crash", "crash", (49, 57)),
    SlotLayout("RD", "Ride", "ride", (51, 59, 53)),
    SlotLayout("RB", "Ride Bell", "ride_bell", (53,)),
    SlotLayout("SP", "Splash", "splash", (55,)),
    SlotLayout("CN", "China", "china", (52,)),
    SlotLayout("TB", "Tambourine", "tambourine", (54,)),
    SlotLayout("BO", "Bongo", "bongo", (60, 61)),
    SlotLayout("HD", "Hand Drum", "hand_drum", (61, 60)),
    SlotLayout("CJ", "Cajon", "cajon", (60, 61)),
    SlotLayout("TI", "Timbale", "timbale", (65, 66)),
    SlotLayout("AG", "Agogo", "agogo", (67, 68)),
    SlotLayout("WB", "Wood Block", "woodblock", (76, 77)),
    SlotLayout("TR", "Triangle", "triangle", (81, 80)),
)


def layout_for(classes: Sequence[str]) -> tuple[SlotLayout, ...]:
    """Slots for a kit of 1 to 16 classes.

    Known classes take their places of TR808, then those of ACOUSTIC; the others, and whichever
    finds all its notes taken, follow on the free notes from 36 up. No two slots share a note.
    When all do not fit, the toms and congas give up their second and third slots.
    """
    known = [slot for slot in TR808 if slot.class_name in classes]
    unknown = [name for name in classes if all(slot.class_name != name for slot in TR808)]
    room = MAX_SLOTS - len(unknown)
    while len(known) > room:
        seen = [slot.class_name for slot in known]
        again = [slot for i, slot in enumerate(known) if slot.class_name in seen[:i]]
        known.remove(again[-1])
    alone = [slot.class_name for slot in known]
    slots = [
        slot if slot.filter is None or alone.count(slot.class_name) > 1
        else SlotLayout(slot.code, slot.name, slot.class_name, slot.notes, slot.choke)
        for slot in known
    ]
    acoustic = [slot for slot in ACOUSTIC if slot.class_name in unknown]
    named = {slot.class_name for slot in acoustic}
    for name in unknown:
        if name not in named:
            code = _code(name, {slot.code for slot in (*slots, *acoustic)})
            acoustic.append(SlotLayout(code, name.replace("_", " ").title(), name, ()))
    return _with_own_notes((*slots, *acoustic))


def _with_own_notes(slots: Sequence[SlotLayout]) -> tuple[SlotLayout, ...]:
    """The same slots, each with the notes that nobody before it has, ACOUSTIC asked first and
    everybody for the main note before the others; at least one."""
    order = sorted(slots, key=lambda slot: slot not in ACOUSTIC)
    owner: dict[int, str] = {}
    for place in range(max(len(slot.notes) for slot in slots)):
        for slot in order:
            if place < len(slot.notes):
                owner.setdefault(slot.notes[place], slot.code)
    own = {slot.code: tuple(n for n in slot.notes if owner[n] == slot.code) for slot in slots}
    free = (note for note in range(FIRST_NOTE, 128) if note not in owner)
    return tuple(replace(slot, notes=own[slot.code] or (next(free),)) for slot in slots)


def _code(name: str, taken: set[str]) -> str:
    """Two letters of the name that no other slot has, or its first and a number."""
    letters = [c for c in name.upper() if c.isalnum()]
    pairs = [letters[0] + second for second in letters[1:]]
    numbered = [f"{letters[0]}{number}" for number in range(1, 100)]
    return next(code for code in (*pairs, *numbered) if code not in taken)
