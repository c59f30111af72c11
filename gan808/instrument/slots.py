"""The sixteen slots: which sound each has, what it had before, how it is set. Machine thread only.

Only `locked` and `gated` are read by other threads; both are single values, replaced whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from gan808.engine.engine import SlotParameter
from gan808.instrument.parameter import SLOT
from gan808.instrument.parameters import BY_ADDRESS
from gan808.sound.kit.slots import SlotLayout
from gan808.sound.sound import Sound

HISTORY = 16

# What of a slot the engine knows by itself; lock, gate and width are the machine's own.
ENGINE_PARAMETERS = {
    "level": SlotParameter.LEVEL,
    "tune": SlotParameter.TUNE,
    "decay": SlotParameter.DECAY,
    "pan": SlotParameter.PAN,
    "mute": SlotParameter.MUTE,
    "choke": SlotParameter.CHOKE,
}
OWN_PARAMETERS = ("lock", "gate", "width", "solo")


class Slot:
    """One pad: its place in the kit, its sound, its history and its settings."""

    def __init__(self, index: int, layout: SlotLayout, width: float = 0.0) -> None:
        self.index = index
        self.layout = layout
        self.sound: Sound | None = None
        self.since = 0  # the frame its sound is played from
        self.history: deque[Sound] = deque(maxlen=HISTORY)
        self.undone: deque[Sound] = deque(maxlen=HISTORY)
        # Sounds made for this slot: evolution takes them before it draws from the pool.
        self.coming: deque[Sound] = deque()
        self.values: dict[str, float | int] = {
            name: _default(name) for name in (*ENGINE_PARAMETERS, *OWN_PARAMETERS)
        }
        self.values["choke"] = layout.choke
        self.values["width"] = width

    @property
    def width(self) -> float:
        """How far apart left and right of its sounds are, 0..1 in hundredths."""
        return round(float(self.values["width"]), 2)

    @property
    def locked(self) -> bool:
        return bool(self.values["lock"])

    @property
    def gated(self) -> bool:
        return bool(self.values["gate"])

    def change_layout(self, layout: SlotLayout) -> None:
        """Become another kit's slot: take its layout and choke group, drop history and waiting
        sounds."""
        self.layout = layout
        self.values["choke"] = layout.choke
        self.history.clear()
        self.undone.clear()
        self.coming.clear()

    def swap(self, sound: Sound) -> None:
        """Play `sound` and remember the one before.

        Sounds that wait for their turn stay only while they are taken in their order: any other
        sound shows that the player wants something else.
        """
        if self.coming and sound is self.coming[0]:
            self.coming.popleft()
        else:
            self.coming.clear()
        if self.sound is not None:
            self.history.append(self.sound)
        self.undone.clear()
        self.sound = sound


def _default(name: str) -> float | int:
    default = BY_ADDRESS[f"/slot/{SLOT}/{name}"].arguments[0].default
    return default if isinstance(default, int | float) else 0


def first_sounds(layouts: Sequence[SlotLayout], sounds: Sequence[Sound]) -> list[Sound | None]:
    """A sound for each slot out of a kit's factory sounds, None where its class has none.

    By class, and within it by pitch third: of three toms the lowest goes to the low tom. Slots
    of one class get different sounds as long as there are enough.
    """
    chosen: list[Sound | None] = []
    used: set[str] = set()
    for layout in layouts:
        of_class = [sound for sound in sounds if sound.main_class == layout.class_name]
        third = _third(of_class, layout.third)
        fresh = [sound for sound in third if sound.id not in used]
        best = max(fresh or third, key=lambda s: (s.confidence, s.realness), default=None)
        chosen.append(best)
        if best is not None:
            used.add(best.id)
    return chosen


def _third(sounds: Sequence[Sound], third: int | None) -> list[Sound]:
    """The low (0), middle (1) or high (2) third by pitch; all of them for None."""
    ranked = sorted(sounds, key=lambda sound: sound.descriptors.pitch_hz)
    n = len(ranked)
    if third is None or n == 0:
        return ranked
    if n < 3:
        return [ranked[round(third * (n - 1) / 2)]]
    return ranked[third * n // 3:(third + 1) * n // 3]
