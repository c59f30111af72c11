"""What is exported, as a value: the slots of a kit with the sounds of a state, or sounds by class.
Pure but for what has to be rendered; any thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from gan808.errors import ConfigError
from gan808.exchange.decay import decayed
from gan808.exchange.exported_kit import ExportedKit, ExportedSlot, Layer
from gan808.exchange.new_sounds import NewSounds
from gan808.instrument.state import KeptSlot, State
from gan808.sound.kit.kit import Kit
from gan808.sound.kit.slots import MAX_SLOTS, SlotLayout, layout_for
from gan808.sound.latent import Point, parse_id
from gan808.sound.sound import Sound, parse_file_id

NEAR = 0.15  # radius of the sounds that take turns: heard as one drum
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Amounts:
    """Sounds a slot, sounds that take turns, velocity layers; each at least 1."""

    count: int = 1
    round_robin: int = 1
    velocities: int = 1

    @property
    def neighbours(self) -> int:
        """So many sounds are made of each."""
        return self.round_robin * self.velocities


@dataclass(frozen=True, slots=True)
class Form:
    """What the samples are like: frames a second, bits."""

    rate_hz: int = 48_000
    bits: int = 24


def exported_kit(name: str, kit: Kit, state: State | None, form: Form,
                 amounts: Amounts | None = None, new: NewSounds | None = None) -> ExportedKit:
    """A kit's slots; those of a state have its sounds, at the form's rate, and are set as there.

    new: makes what amounts ask for and what the state only names; without it a slot has the sound
    that is there, or a factory sound. Raises Gan808Error.
    """
    wanted = amounts or Amounts()
    factory = kit.factory_sounds(form.rate_hz)
    kept = state.by_code() if state else {}
    slots = []
    for layout in kit.slots:
        start = _kept_sounds(kept.get(layout.code), new) or of_third(
            layout, [s for s in factory if s.main_class == layout.class_name])[:wanted.count]
        missing = wanted.count - len(start)
        if new is not None and missing > 0:
            there = {sound.point for sound in start if not sound.file}
            others = (point for point in map(Point, count(1)) if point not in there)
            start += new.accepted(layout.class_name, others, missing)
        if start:
            slots.append(_slot(layout, kept.get(layout.code), _layers(start, wanted, new)))
    licences = sorted({entry.licence for entry in kit.manifest.provenance})
    return ExportedKit(name, ", ".join(licences) or UNKNOWN, form.rate_hz, form.bits, tuple(slots))


def exported_sounds(name: str, sounds: Sequence[Sound], form: Form) -> ExportedKit:
    """Sounds at the form's rate by class: each class is a slot, or three by pitch, whose sounds
    take turns. Of more classes than there are slots those with the most sounds."""
    common = Counter(sound.main_class for sound in sounds).most_common(MAX_SLOTS)
    slots = []
    for layout in layout_for([class_name for class_name, _ in common]) if common else ():
        own = of_third(layout, [s for s in sounds if s.main_class == layout.class_name])
        slots.append(_slot(layout, None, (Layer(1, 127, tuple(own)),)))
    return ExportedKit(name, UNKNOWN, form.rate_hz, form.bits, tuple(slots))


def of_third(layout: SlotLayout, sounds: Sequence[Sound]) -> list[Sound]:
    """The sounds of a class that belong to a slot: all, or its third by pitch where it takes one
    and there are three."""
    if layout.third is None or len(sounds) < 3:
        return list(sounds)
    ranked = sorted(sounds, key=lambda sound: sound.descriptors.pitch_hz)
    return ranked[layout.third * len(ranked) // 3:(layout.third + 1) * len(ranked) // 3]


def _kept_sounds(kept: KeptSlot | None, new: NewSounds | None) -> list[Sound]:
    if kept is None:
        return []
    if kept.sound is None and (file := parse_file_id(kept.sound_id)) is not None:
        raise ConfigError(f"{kept.code}: its sound, of the file {file.name}, is not kept any "
                          "more; load it again")
    if kept.sound is None and kept.sound_id and new is not None:
        _, class_name, point = parse_id(kept.sound_id)
        return [new.exactly(class_name, point)]
    return [] if kept.sound is None else [kept.sound]


def _slot(layout: SlotLayout, kept: KeptSlot | None, layers: tuple[Layer, ...]) -> ExportedSlot:
    values = kept.values if kept else {}
    decay, tune_semitones = float(values.get("decay", 1.0)), float(values.get("tune", 0.0))
    fallen = tuple(replace(layer, sounds=tuple(
        replace(sound, audio=decayed(sound.audio, decay, sound.sample_rate_hz, tune_semitones))
        for sound in layer.sounds)) for layer in layers) if decay < 1 else layers
    return ExportedSlot(
        layout.code, layout.name, layout.notes[0], fallen, level=float(values.get("level", 1.0)),
        pan=float(values.get("pan", 0.0)), tune_semitones=tune_semitones,
        choke=int(values.get("choke", layout.choke)))


def _layers(start: Sequence[Sound], amounts: Amounts, new: NewSounds | None) -> tuple[Layer, ...]:
    """Every sound with its neighbours, dealt into layers of velocity: the darkest softest."""
    if any(sound.file for sound in start):  # which has no neighbours
        return (Layer(1, 127, tuple(start)),)
    sounds = list(start)
    if amounts.neighbours > 1 and new is not None:
        for sound in start:
            if sound.file:  # it has no place in latent space, so no neighbours
                continue
            near = (sound.point.near(number, NEAR) for number in count(1))
            sounds += new.accepted(sound.class_asked, near, amounts.neighbours - 1)
    sounds.sort(key=lambda sound: sound.descriptors.brightness_hz)
    if amounts.velocities == 1:
        sounds.sort(key=lambda sound: sound.id not in {s.id for s in start})  # its own first
    n = min(amounts.velocities, len(sounds))
    bounds = [round(127 * i / n) for i in range(n + 1)]
    places = [i * len(sounds) // n for i in range(n + 1)]
    return tuple(Layer(bounds[i] + 1, bounds[i + 1], tuple(sounds[places[i]:places[i + 1]]))
                 for i in range(n))
