"""What MIDI means to the machine, as a keymap for the engine: with it the audio callback acts on
notes, pedals and learned keys by itself where MIDI comes to it (on JACK).

`keymap_of` is pure; `MidiMap` belongs to the machine thread. control/midi/input.py does the same in
Python for MIDI from elsewhere, and for what only Python can do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gan808.config import Settings, VelocityCurve
from gan808.engine.engine import ALL_SLOTS
from gan808.engine.keymap import BY_CURVE, CHANNEL_CONTROLLERS, Act, KeyKind, Keymap
from gan808.engine.protocols import PortLike
from gan808.instrument.context import Context
from gan808.instrument.learning import Control, ControlTarget, Learning
from gan808.instrument.live import LIVE
from gan808.instrument.note_maps import slot_of_note
from gan808.instrument.protocols import KitLike
from gan808.sound.kit.slots import SlotLayout

FIXED_VELOCITY = 100 / 127  # what most keyboards send when they have no velocity
ALL_CHANNELS = 0
EVERY = slice(None)
# Classes of sounds that a hand can silence.
CYMBALS = frozenset({"cymbal", "crash", "ride", "splash", "china"})

Bindings = Mapping[Control, ControlTarget]


def velocity_of(value: int, curve: VelocityCurve) -> float:
    """Velocity 0..1 of a MIDI velocity 1..127.

    soft: little force is enough (square root); hard: it takes force (square); fixed: always the
    same, whatever the force.
    """
    share = value / 127
    if curve == "soft":
        return float(share**0.5)
    if curve == "hard":
        return share * share
    return FIXED_VELOCITY if curve == "fixed" else share


def keymap_of(settings: Settings, layouts: Sequence[SlotLayout], gated: Sequence[int],
              bindings: Bindings, *, learning: bool) -> Keymap:
    """A kit's notes and the learned controls; gated: the slots that end when a key is let go.

    learning: the next note or controller is to be learned, so Python gets them all to decide.
    """
    keymap = Keymap()
    keymap.set_curve(velocity_of(value, settings.midi.velocity_curve) for value in range(128))
    keymap.set_gated(gated)
    keymap.put(KeyKind.PRESSURE, EVERY, EVERY, Act.NOTHING)
    if not learning:
        keymap.put(KeyKind.NOTE, EVERY, EVERY, Act.NOTHING)
        keymap.put(KeyKind.CONTROLLER, EVERY, EVERY, Act.NOTHING)
    channel = settings.midi.channel
    heard = EVERY if channel == ALL_CHANNELS else channel - 1
    for note, slot in slot_of_note(layouts, settings.midi.map).items():
        if layouts[slot].class_name in CYMBALS:
            keymap.put(KeyKind.PRESSURE, heard, note, Act.STOP, slot)
        if not learning:
            keymap.put(KeyKind.NOTE, heard, note, Act.STRIKE, slot)
    if not learning:
        for number in CHANNEL_CONTROLLERS:
            keymap.put(KeyKind.CONTROLLER, heard, number, Act.CHANNEL)
        for control, target in bindings.items():
            _put_learned(keymap, control, target)
    return keymap


def _put_learned(keymap: Keymap, control: Control, target: ControlTarget) -> None:
    """Hits and stops are the callback's; anything else a control does is Python's."""
    name, channel, number = control
    kind = KeyKind.NOTE if name == "note" else KeyKind.CONTROLLER
    row, slot, velocity = LIVE.get(target.row.address), target.slot, BY_CURVE
    act = Act.NOTHING if row is None or row.act is None else row.act
    if act is Act.HIT and target.given:
        velocity = float(target.given[0])
    if slot is None:
        slot = ALL_SLOTS if act is Act.STOP else 0
    keymap.put(kind, channel - 1, number, act, slot, velocity)


class MidiMap:
    """Keeps the engine's keymap up to date with the machine."""

    def __init__(
        self, context: Context, learning: Learning, port: PortLike, settings: Settings
    ) -> None:
        self._context = context
        self._learning = learning
        self._port = port
        self._settings = settings
        self._sent: tuple[object, ...] = ()

    def follow(self) -> bool:
        """Send the engine another keymap if what it is made of has changed; cheap where nothing
        has. False where the engine takes none at the moment: ask again."""
        layouts, learning = self._context.kit.slots, self._learning
        gated = self._gated(len(layouts))
        now = (layouts, gated, learning.bindings, learning.pending is not None)
        if now == self._sent:
            return True
        keymap = keymap_of(self._settings, layouts, gated, learning.bindings,
                           learning=learning.pending is not None)
        if not self._port.set_keymap(keymap):
            return False
        self._sent = now
        return True

    def prepare(self, kit: KitLike, frame: int) -> None:
        """Have the notes of a kit that is to play from `frame` on change at that frame too."""
        learning = self._learning
        keymap = keymap_of(
            self._settings, kit.slots, self._gated(len(kit.slots)),
            learning.bindings_for(tuple(slot.code for slot in kit.slots)),
            learning=learning.pending is not None)
        # Where there is no room, `follow` tells the engine once the kit plays.
        self._port.set_keymap(keymap, frame)

    def _gated(self, slots: int) -> tuple[int, ...]:
        return tuple(slot.index for slot in self._context.swaps.slots[:slots] if slot.gated)
