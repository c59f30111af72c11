"""The parameter table as an OSCQuery address space: what a client may send, in JSON's terms.

After the OSCQuery proposal (Vidvox), its core and the optional attributes in ATTRIBUTES. Pure; any
thread. Events are left out: nobody can ask for them or send them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gan808.instrument.addresses import ALIASES
from gan808.instrument.parameter import ROOT, Argument, Kind, Parameter, Value
from gan808.instrument.parameters import TABLE
from gan808.sound.kit.slots import SlotLayout

Node = dict[str, Any]

ATTRIBUTES = frozenset({
    "FULL_PATH", "CONTENTS", "DESCRIPTION", "TYPE", "ACCESS", "RANGE", "VALUE", "UNIT", "OVERLOADS",
})
# Known to the proposal and not offered here: asking for them is no mistake.
NOT_OFFERED = frozenset({"TAGS", "EXTENDED_TYPE", "CRITICAL", "CLIPMODE", "HTML"})
NO_VALUE, READ_ONLY, WRITE_ONLY, READ_WRITE = range(4)
NOTHING = "N"  # the type of a message without arguments


@dataclass(frozen=True, slots=True)
class Method:
    """An address that can be asked or sent to: its row, and its slot (0..15) if it has one."""

    path: str
    row: Parameter
    slot: int | None = None

    @property
    def access(self) -> int:
        """What a client may do, as the proposal numbers it."""
        row = self.row
        if row.kind is Kind.QUERY and not any(not a.optional for a in row.arguments):
            return READ_ONLY
        # A value that wants to be told a slot first has no one value to show.
        if row.kind is Kind.VALUE and (row.per_slot or not row.takes_slot):
            return READ_WRITE
        return WRITE_ONLY

    @property
    def readable(self) -> bool:
        """Whether it has a value."""
        return self.access in (READ_ONLY, READ_WRITE)


def methods(slots: Sequence[SlotLayout]) -> list[Method]:
    """Every address of a kit with these slots, in the order of the table."""
    return list(_methods(slots))


def _methods(slots: Sequence[SlotLayout]) -> Iterator[Method]:
    for row in TABLE:
        if row.kind is Kind.EVENT:
            continue
        if row.per_slot:
            for number, slot in enumerate(slots):
                yield Method(f"{ROOT}{row.address_of(slot.code)}", row, number)
        else:
            yield Method(f"{ROOT}{row.address}", row)
            yield from (Method(alias, row) for alias, path in ALIASES.items()
                        if path == f"{ROOT}{row.address}")


def full_path(path: str, slots: Sequence[SlotLayout]) -> str:
    """The path as the space has it: no slash at its end, a slot's code for its number."""
    parts = path.rstrip("/").split("/")
    if parts[1:3] == [ROOT[1:], "slot"] and len(parts) > 3:
        code, codes = parts[3].upper(), [slot.code for slot in slots]
        number = int(code) if code.isascii() and code.isdigit() and len(code) < 3 else 0
        parts[3] = codes[number - 1] if 1 <= number <= len(codes) else code
    return "/".join(parts) or "/"


def below(path: str, all_methods: Sequence[Method]) -> list[Method]:
    """The methods at a full path or below it."""
    inside = path.rstrip("/") + "/"
    return [m for m in all_methods if m.path == path or m.path.startswith(inside)]


def node_at(
    path: str,
    all_methods: Sequence[Method],
    slots: Sequence[SlotLayout],
    values: Mapping[str, tuple[Value, ...]],
) -> Node | None:
    """The node at a full path with everything below it; None where there is none.

    values: by full path, of the methods that have been read.
    """
    found = below(path, all_methods)
    if not found:
        return None
    root = _container(path, slots)
    for method in found:
        node = root
        at = path.rstrip("/")
        for name in method.path[len(at):].split("/")[1:]:
            at = f"{at}/{name}"
            node = node.setdefault("CONTENTS", {}).setdefault(name, _container(at, slots))
        node.update(_attributes(method, slots, values.get(method.path)))
    return root


def _container(path: str, slots: Sequence[SlotLayout]) -> Node:
    parts = path.split("/")
    names = {slot.code: slot.name for slot in slots}
    about = "GAN-808" if path in ("/", ROOT) else ""
    if len(parts) == 4 and parts[2] == "slot":
        about = names.get(parts[3], "")
    return {"FULL_PATH": path, "ACCESS": NO_VALUE, "DESCRIPTION": about}


def _attributes(
    method: Method, slots: Sequence[SlotLayout], values: tuple[Value, ...] | None
) -> Node:
    row = method.row
    node: Node = {"DESCRIPTION": row.help, "ACCESS": method.access}
    if values is not None:
        node["VALUE"] = [_plain(value) for value in values]
    if row.kind is Kind.QUERY:
        node["TYPE"] = _types_of(values) if values is not None else _types_told(row)
        return node
    if row.pairs:
        return node | {"TYPE": "ss"}  # at least the pair `s bd`; any number of pairs may follow
    required = [a for a in row.arguments if not a.optional]
    least = row.arguments if row.kind is Kind.VALUE else required
    node |= _signature(least, slots)
    longer = [row.arguments[:n] for n in range(len(least) + 1, len(row.arguments) + 1)]
    if longer:
        node["OVERLOADS"] = [_signature(arguments, slots) for arguments in longer]
    return node


def _signature(arguments: Sequence[Argument], slots: Sequence[SlotLayout]) -> Node:
    """TYPE, and RANGE and UNIT where there is anything to say."""
    node: Node = {"TYPE": "".join(a.type for a in arguments) or NOTHING}
    if ranges := [_range(argument, slots) for argument in arguments]:
        node["RANGE"] = ranges
    if any(a.unit for a in arguments):
        node["UNIT"] = [a.unit for a in arguments]
    return node


def _range(argument: Argument, slots: Sequence[SlotLayout]) -> Node:
    if argument.name == "slot":
        return {"VALS": [slot.code for slot in slots]}
    if argument.choices:
        return {"VALS": list(argument.choices)}
    low, high = argument.minimum, argument.maximum
    if argument.type == "i":
        low, high = (None if end is None else int(end) for end in (low, high))
    return {name: end for name, end in (("MIN", low), ("MAX", high)) if end is not None}


def _types_of(values: Sequence[Value]) -> str:
    tags = {int: "i", float: "f", str: "s", bytes: "b"}
    return "".join(tags[type(value)] for value in values) or NOTHING


def _types_told(row: Parameter) -> str:
    return "".join(part[0] for part in row.reply.split() if part[1:2] == ":") or NOTHING


def _plain(value: Value | bytes) -> Value | None:
    """JSON has no word for infinity and the like, nor for bytes."""
    if isinstance(value, bytes):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value
