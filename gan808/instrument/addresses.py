"""From an OSC address and arguments to requests the machine understands. Pure; any thread.

Slots are found by code or number here, wildcards are expanded here, and everything is checked
against the parameter table before anything reaches the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from gan808.errors import ConfigError
from gan808.instrument.parameter import ROOT, SLOT, Kind, Parameter, Value, validate
from gan808.instrument.parameters import BY_ADDRESS, TABLE
from gan808.instrument.wildcards import SIGNS, Wildcard

ALIASES = {"/dirt/play": f"{ROOT}/play"}


@dataclass(frozen=True, slots=True)
class Request:
    """One checked message: the row, the slot (0..15) where the row has one, the other values."""

    parameter: Parameter
    slot: int | None
    values: tuple[Value, ...]

    @property
    def arguments(self) -> tuple[Value, ...]:
        """What Machine.submit takes after the command: the slot first, where there is one."""
        return self.values if self.slot is None else (self.slot, *self.values)

    def address(self, codes: Sequence[str]) -> str:
        """The full address to answer on, with the slot's code."""
        code = "" if self.slot is None else codes[self.slot]
        return ROOT + self.parameter.address_of(code)


def slot_index(text: str, codes: Sequence[str]) -> int:
    """Slot 0..15 of a code (any case) or a number from 1. Raises ConfigError."""
    upper = text.upper()
    if upper in codes:
        return list(codes).index(upper)
    if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= len(codes):
        return int(text[:4]) - 1
    raise ConfigError(f"slot {text!r}: must be {', '.join(codes)} or 1 to {len(codes)}")


def decode(address: str, arguments: Sequence[object], codes: Sequence[str]) -> list[Request]:
    """Every request a message makes; none for a button that is let go. codes: the kit's slot codes,
    in order.

    Raises ConfigError: one line saying what is wrong and what is accepted.
    """
    requests = []
    for parameter, slot in _targets(address, tuple(codes)):
        pressed = parameter.pressed(arguments)
        if pressed is False:
            continue
        values = validate(parameter, () if pressed else arguments)
        if parameter.takes_slot and slot is None and values:
            slot, values = slot_index(str(values[0]), codes), values[1:]
        requests.append(Request(parameter, slot, values))
    return requests


@lru_cache(maxsize=512)
def _targets(address: str, codes: tuple[str, ...]) -> tuple[tuple[Parameter, int | None], ...]:
    """The rows and slots an address names. Raises ConfigError when there are none."""
    address = ALIASES.get(address, address)
    if not address.startswith(f"{ROOT}/"):
        raise ConfigError(f"addresses begin with {ROOT}/")
    path = address[len(ROOT):]
    found = _literal(path, codes) if not SIGNS & set(path) else _wild(path, codes)
    if not found:
        raise ConfigError("no such address; docs/osc.md lists them")
    return tuple(found)


def _literal(path: str, codes: tuple[str, ...]) -> list[tuple[Parameter, int | None]]:
    parts = path.split("/")
    named: list[tuple[Parameter, int | None]]
    if len(parts) == 4 and parts[1] == "slot":
        row = BY_ADDRESS.get(f"/slot/{SLOT}/{parts[3]}")
        named = [(row, slot_index(parts[2], codes))] if row is not None else []
    else:
        row = BY_ADDRESS.get(path)
        named = [(row, None)] if row is not None else []
    return [(row, slot) for row, slot in named if row.kind is not Kind.EVENT]


def _wild(path: str, codes: tuple[str, ...]) -> list[tuple[Parameter, int | None]]:
    """A wildcard in the last part reads and sets values; it never sets off actions."""
    pattern = Wildcard(path)
    kinds = set(Kind) - {Kind.EVENT}
    if SIGNS & set(path.rsplit("/", 1)[1]):
        kinds = {Kind.VALUE, Kind.QUERY}
    # A slot is matched once, not once a row: a wildcard must not cost milliseconds.
    slots = {slot: name for slot, code in enumerate(codes) for name in (str(slot + 1), code)
             if pattern.matches_part(2, name)}
    found: list[tuple[Parameter, int | None]] = []
    for row in TABLE:
        if row.kind not in kinds:
            continue
        if not row.per_slot:
            found += [(row, None)] if pattern.matches(row.address) else []
        elif slots and pattern.matches(row.address_of(next(iter(slots.values())))):
            found += [(row, slot) for slot in slots]
    return found
