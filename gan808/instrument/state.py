"""What of the machine outlives a run, as a value: its slots with their sounds, its pattern, how it
is set. Also what a scene is. Immutable values and pure functions; any thread.

`document` makes plain JSON values of a state, with a name in place of each sound; `state_of` and
`slots_of` read and check them. Where the files are is storage/session_files.py's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

from gan808.errors import ConfigError
from gan808.instrument.parameter import SLOT, Parameter, Value, validate
from gan808.instrument.parameters import BY_ADDRESS
from gan808.sequencer.patterns import Pattern, parse_pattern
from gan808.sound.kit.slots import MAX_SLOTS
from gan808.sound.sound import RENDER, Sound

FORMAT = 1
KEPT_HISTORY = 4  # sounds before the present one, a slot: undo leads so far back after a restart
LONGEST_TEXT, LONGEST_PATTERN = 4096, 1 << 18

# What of the whole machine is kept, and the setting it is in place of, if there is one. Tempo and
# swing are left out while they are the pattern's own.
KEPT_VALUES: Mapping[str, tuple[str, str] | None] = MappingProxyType({
    "/volume": ("audio", "master_volume"),
    "/evolve": ("evolve", "swaps_per_bar"),
    "/evolve/quantise": ("evolve", "quantise"),
    "/evolve/mode": ("evolve", "mode"),
    "/seq/tempo": ("sequencer", "tempo_bpm"),
    "/seq/swing": ("sequencer", "swing"),
    "/seq/sync": ("sequencer", "sync"),
    "/seq/vary": ("sequencer", "vary"),
    "/seq/fills": ("sequencer", "fills"),
    "/seq/density": None,
})
NOTHING: Mapping[str, Value] = MappingProxyType({})

Name = Callable[[Sound], str]
Find = Callable[[str], Sound | None]


@dataclass(frozen=True, slots=True)
class KeptPattern:
    """A pattern as the text of its file, edits included, and what finds its file.

    edited: whether the text differs from the file as it was then. source "": it is in no file.
    """

    text: str
    source: str = ""
    edited: bool = False

    @classmethod
    def of(cls, edited: Pattern, original: Pattern) -> KeptPattern:
        """A pattern as it stands now, and as it was chosen."""
        return cls(edited.to_toml(), original.source, edited != original)

    def pattern(self) -> Pattern:
        """The pattern of the text. Raises ConfigError."""
        return replace(parse_pattern(self.text, "its pattern"), source=self.source)


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

    kit: what finds it again, its name or its folder. values: by address, of KEPT_VALUES. render:
    the generation of the renderer that it was kept with.
    """

    kit: str
    values: Mapping[str, Value] = field(default_factory=lambda: NOTHING)
    pattern: KeptPattern | None = None
    slots: tuple[KeptSlot, ...] = ()
    render: int = RENDER

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
        "render": RENDER,
        "kit": state.kit,
        "values": dict(state.values),
        "pattern": None if state.pattern is None else asdict(state.pattern),
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
        return State(_text(values["kit"]), _machine_values(values["values"]),
                     _pattern(values["pattern"]), slots, int(values.get("render", 1)))
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
    """A value of that row. One that rounding has left just outside its range is brought back into
    it."""
    checked, argument = validate(row, (value,))[0], row.arguments[0]
    if isinstance(checked, str) or argument.minimum is None or argument.maximum is None:
        return checked
    return type(checked)(min(max(checked, argument.minimum), argument.maximum))


def _pattern(entry: Any) -> KeptPattern | None:
    if entry is None:
        return None
    if not isinstance(entry["text"], str) or len(entry["text"]) > LONGEST_PATTERN:
        raise TypeError("a pattern that is no text")
    kept = KeptPattern(entry["text"], _text(entry["source"]), entry["edited"] is True)
    kept.pattern()  # which refuses what is none
    return kept


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise TypeError(f"{str(value)[:40]!r} where a text should be")
    return value
