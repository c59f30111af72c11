"""What a row of the parameter table is, and the check of values against it. Pure; any thread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gan808.errors import ConfigError

Value = int | float | str
ROOT = "/gan808"
SLOT = "SLOT"


class Kind(Enum):
    """What a row is, and so who acts on it."""

    VALUE = "value"  # set with arguments, read without; Machine.submit
    ACTION = "action"  # does something, answered by /done; Machine.submit
    QUERY = "query"  # only answers; Machine.submit
    LIVE = "live"  # played at once on the caller's own port; Machine.handle
    CLIENT = "client"  # between a control surface and its client; the surface answers itself
    EVENT = "event"  # only ever sent, to registered clients


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a message: OSC type (i, f or s), closed range or choices, unit, default.

    An optional argument may be left out; `default` is what a value row starts from (None where
    the settings, the kit or the pattern decide).
    """

    name: str
    type: str
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    optional: bool = False
    default: Value | None = None

    @property
    def accepted(self) -> str:
        """What is accepted, in words for a message or a table."""
        if self.choices:
            return ", ".join(self.choices[:-1]) + " or " + self.choices[-1]
        if self.type == "s":
            return "text"
        kind = "a whole number" if self.type == "i" else "a number"
        if self.minimum is None or self.maximum is None:
            return kind
        unit = f" {self.unit}" if self.unit else ""
        return f"{kind} from {self.minimum:.10g} to {self.maximum:.10g}{unit}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row. `cc` are the controllers of slots 1 to 16, or the one of the whole machine.

    pairs: it takes name/value pairs instead of arguments. reply: types and names of the answer;
    reply_address: where it goes ("" = the same address).
    """

    address: str
    kind: Kind
    arguments: tuple[Argument, ...]
    help: str
    cc: tuple[int, ...] = ()
    echo: bool = False
    pairs: bool = False
    reply: str = ""
    reply_address: str = ""

    @property
    def per_slot(self) -> bool:
        """True where the address has SLOT in it."""
        return f"/{SLOT}/" in self.address

    @property
    def names_slot(self) -> bool:
        """True where the first argument is a slot."""
        return bool(self.arguments and self.arguments[0].name == "slot")

    @property
    def takes_slot(self) -> bool:
        """True where a slot is named, in the address or as first argument."""
        return self.per_slot or self.names_slot

    def pressed(self, arguments: Sequence[object]) -> bool | None:
        """What a button says that sends one number: True when it is pressed, False when it is let
        go; None where the arguments are the row's own. A whole number may be a seed or a slot."""
        acts = self.kind in (Kind.ACTION, Kind.LIVE) and not self.pairs
        if not acts or len(arguments) != 1 or not all(a.optional for a in self.arguments):
            return None
        (value,) = arguments
        numbered = self.names_slot or any(argument.type == "i" for argument in self.arguments[:1])
        if value not in (0, 1) or (type(value) is int and numbered):
            return None
        return bool(value)

    @property
    def scheduled(self) -> bool:
        """True where what it does has a frame of its own, in the engine or the pattern, and so is
        sent on before that is due. Everything else is done when it is due."""
        if self.kind is Kind.QUERY or self.address.endswith(("/gate", "/save")):
            return False
        return self.per_slot or self.address.startswith(("/seq/", "/evolve", "/volume"))

    @property
    def types(self) -> str:
        """The arguments' OSC types, optional ones in brackets: `s f [i]`."""
        return " ".join(f"[{a.type}]" if a.optional else a.type for a in self.arguments)

    @property
    def reply_names(self) -> tuple[str, ...]:
        """The names in the answer, in order: (voices, pool) of `i:voices i:pool`."""
        return tuple(part.partition(":")[2] for part in self.reply.split() if ":" in part)

    def address_of(self, slot_code: str = "") -> str:
        """The address with the slot's code in its place, after /gan808."""
        return self.address.replace(SLOT, slot_code)


def validate(parameter: Parameter, arguments: Sequence[object]) -> tuple[Value, ...]:
    """The arguments as plain int, float and str in the row's types, checked against it.

    Whole floats pass for ints and ints for floats; NaN never passes. No arguments at all are
    allowed for a VALUE row (a get). Raises ConfigError: one line saying what is accepted.
    """
    if parameter.pairs:
        return _pairs(parameter.address, arguments)
    wanted = parameter.arguments
    if not arguments and parameter.kind is Kind.VALUE and not parameter.names_slot:
        return ()
    least = sum(not argument.optional for argument in wanted)
    if not least <= len(arguments) <= len(wanted):
        expected = parameter.types or "no arguments"
        raise ConfigError(
            f"{parameter.address} takes {expected}"
            + (f" ({', '.join(a.name for a in wanted)})" if wanted else "")
            + f", not {len(arguments)} arguments"
        )
    return tuple(_checked(a, given) for a, given in zip(wanted, arguments, strict=False))


def _checked(argument: Argument, given: object) -> Value:
    """One argument in its type and range. Raises ConfigError."""
    refusal = ConfigError(f"{argument.name} {given!r}: must be {argument.accepted}")
    if argument.type == "s":
        # A slot or a kit may be given by number; text is what they are looked up by.
        if isinstance(given, float) and given.is_integer():
            given = int(given)
        text = str(given) if isinstance(given, int | str) else None
        if text is None or (argument.choices and text not in argument.choices):
            raise refusal
        return text
    if not isinstance(given, int | float) or not math.isfinite(given):
        raise refusal
    if argument.type == "i" and given != int(given):
        raise refusal
    # 1e-6: OSC carries 32-bit floats, whose 0.1 or 1.0 may fall just outside the range.
    if argument.minimum is not None and given < argument.minimum - 1e-6:
        raise refusal
    if argument.maximum is not None and given > argument.maximum + 1e-6:
        raise refusal
    return int(given) if argument.type == "i" else float(given)


def _pairs(address: str, arguments: Sequence[object]) -> tuple[Value, ...]:
    """Name/value pairs, checked to be pairs of a text and a plain value."""
    if not arguments or len(arguments) % 2:
        raise ConfigError(f"{address} takes name/value pairs, such as s bd gain 0.9 pan 0.5")
    checked: list[Value] = []
    for name, value in zip(arguments[::2], arguments[1::2], strict=True):
        if not isinstance(name, str) or not isinstance(value, int | float | str):
            raise ConfigError(f"{address}: {name!r} {value!r} is not a name and its value")
        checked += [name, value]
    return tuple(checked)
