"""What of the machine outlives a run, as a value: its slots with their sounds, its pattern, how it
is set. Also what a scene is. Immutable values and pure functions; any thread.

`document` makes plain JSON values of a state, with a name in place of each sound; `state_of` and
`slots_of` read and check them. Where the files are is state_files.py's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gan808.errors import ConfigError
from gan808.machine.parameters import BY_ADDRESS, SLOT, Parameter, Value, validate
from gan808.machine.patterns import Pattern, parse_pattern
from gan808.sound.slots import MAX_SLOTS
from gan808.sound.sound import Sound

FORMAT = 1
KEPT_HISTORY = 4  # sounds before the present one, a slot: undo leads so far back after a restart
MOST_CONTROLS, LONGEST_TEXT, LONGEST_PATTERN = 2048, 4096, 1 << 16

# What of the whole machine is kept, and the setting it is in place of. Tempo and swing are left
# out while they are the pattern's own.
KEPT_VALUES: Mapping[str, tuple[str, str]] = MappingProxyType({
    "/volume": ("audio", "master_volume"),
    "/evolve": ("evolve", "swaps_per_bar"),
    "/evolve/quantise": ("evolve", "quantise"),
    "/evolve/mode": ("evolve", "mode"),
    "/seq/pattern": ("sequencer", "pattern"),
    "/seq/tempo": ("sequencer", "tempo_bpm"),
    "/seq/swing": ("sequencer", "swing"),
    "/seq/sync": ("sequencer", "sync"),
    "/seq/vary": ("sequencer", "vary"),
    "/seq/fills": ("sequencer", "fills"),
})
NOTHING: Mapping[str, Value] = MappingProxyType({})

Name = Callable[[Sound], str]
Find = Callable[[str], Sound | None]


@dataclass(frozen=True, slots=True)
class KeptSlot:
    """One slot: its sound, how it is set, the sounds before, the latest last.

    sound_id names the sound also where its audio is not there (sound None): then it can be
    rendered again. "" is a slot without a sound.
    """

    code: str
    sound_id: str
    sound: Sound | None
    values: Mapping[str, float | int]
    history: tuple[Sound, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """The machine at one moment.

    kit: what finds it again, its name or its folder. values: by address, of KEPT_VALUES. edited:
    the pattern as a player has changed it, None where it is as chosen. controls: what controllers
    were taught, plain values.
    """

    kit: str
    values: Mapping[str, Value] = field(default_factory=lambda: NOTHING)
    edited: Pattern | None = None
    slots: tuple[KeptSlot, ...] = ()
    controls: Mapping[str, Value] = field(default_factory=lambda: NOTHING)

    def by_code(self) -> dict[str, KeptSlot]:
        """The slots by their code."""
        return {slot.code: slot for slot in self.slots}

    @property
    def fresh(self) -> bool:
        """Whether every hit has a new sound, so that the present ones are soon gone."""
        return self.values.get("/evolve/mode") == "fresh" and bool(self.values.get("/evolve"))


def document(state: State) -> dict[str, Any]:
    """Everything but the slots as plain JSON values."""
    return {
        "format": FORMAT,
        "kit": state.kit,
        "values": dict(state.values),
        "edited": "" if state.edited is None else state.edited.to_toml(),
        "controls": dict(state.controls),
    }


def slot_documents(slots: Sequence[KeptSlot], name: Name) -> list[dict[str, Any]]:
    """Slots as plain JSON values; name tells what to call a sound."""
    return [
        {
            "code": slot.code,
            "id": slot.sound_id,
            "sound": "" if slot.sound is None else name(slot.sound),
            "values": dict(slot.values),
            "history": [name(sound) for sound in slot.history],
        }
        for slot in slots
    ]


def state_of(values: Any, slots: tuple[KeptSlot, ...] = ()) -> State:
    """The state that a document describes. Raises ConfigError: what is wrong, in a line."""
    try:
        if values["format"] != FORMAT:
            raise ConfigError(f"is of format {values['format']}, not {FORMAT}")
        edited = _text(values["edited"], LONGEST_PATTERN)
        controls = {_text(name): _plain(value) for name, value in values["controls"].items()}
        if len(controls) > MOST_CONTROLS:
            raise ConfigError("is larger than a state can be")
        return State(_text(values["kit"]), _machine_values(values["values"]),
                     parse_pattern(edited, "edited") if edited else None, slots,
                     MappingProxyType(controls))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"is damaged: {type(error).__name__} {error}") from error


def slots_of(entries: Any, find: Find, *, history: bool = True) -> tuple[KeptSlot, ...]:
    """The slots of a document; find brings a sound by what it was called, or None.

    Raises ConfigError: what is wrong, in a line.
    """
    try:
        if len(entries) > MAX_SLOTS:
            raise ConfigError(f"has {len(entries)} slots")
        return tuple(_slot(entry, find, history=history) for entry in entries)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"has damaged slots: {type(error).__name__} {error}") from error


def _slot(entry: Any, find: Find, *, history: bool) -> KeptSlot:
    named = _text(entry["sound"])
    before = [find(_text(each)) for each in entry["history"][-KEPT_HISTORY:] if history]
    return KeptSlot(
        code=_text(entry["code"]),
        sound_id=_text(entry["id"]),
        sound=find(named) if named else None,
        values=MappingProxyType(_slot_values(entry["values"])),
        history=tuple(sound for sound in before if sound is not None),
    )


def _slot_values(values: Mapping[str, Any]) -> dict[str, float | int]:
    """Values that have a row, in range; what another version knows besides is left out."""
    checked: dict[str, float | int] = {}
    for name, value in values.items():
        row = BY_ADDRESS.get(f"/slot/{SLOT}/{name}")
        if row is not None:
            number = _checked(row, value)
            if isinstance(number, int | float):
                checked[name] = number
    return checked


def _machine_values(values: Mapping[str, Any]) -> Mapping[str, Value]:
    return MappingProxyType({
        address: _checked(BY_ADDRESS[address], value)
        for address, value in values.items() if address in KEPT_VALUES
    })


def _checked(row: Parameter, value: Any) -> Value:
    """A value of that row, exactly in its range: where it goes a hair too much is refused."""
    checked, argument = validate(row, (value,))[0], row.arguments[0]
    if isinstance(checked, str) or argument.minimum is None or argument.maximum is None:
        return checked
    return type(checked)(min(max(checked, argument.minimum), argument.maximum))


def _text(value: Any, longest: int = LONGEST_TEXT) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise TypeError(f"{str(value)[:40]!r} where a text should be")
    return value


def _plain(value: Any) -> Value:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return _text(value)
