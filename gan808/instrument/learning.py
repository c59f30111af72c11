"""Learned controls: which controller or note moves what, instead of the table of controllers.

A control is `cc CHANNEL NUMBER` or `note CHANNEL NUMBER`. Its target is an address after /gan808
with fixed arguments; the control gives the last one: `/slot/BD/level`, `/trig BD`, `/seq/pattern
house`. Belongs to the machine thread. The thread that reads MIDI looks at `pending` and `bindings`,
which are replaced whole.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from gan808.errors import ConfigError
from gan808.instrument.addresses import decode
from gan808.instrument.controllers import scaled
from gan808.instrument.events import ParameterChanged
from gan808.instrument.parameter import ROOT, SLOT, Argument, Kind, Parameter, Value
from gan808.instrument.parameters import BY_ADDRESS, RESERVED_CC

if TYPE_CHECKING:
    from gan808.instrument.calls import Answer, Call, Handler
    from gan808.instrument.context import Context

ControlKind = Literal["cc", "note"]
# kind, channel 1-16, number 0-127
Control = tuple[ControlKind, int, int]

VOLUME_CC = 7
HALF = 64  # from here on a controller means "yes"
CONTROL = re.compile(r"(cc|note) (\d{1,2}) (\d{1,3})")
ALL = "all"


@dataclass(frozen=True, slots=True)
class ControlTarget:
    """What a control does: a row, its slot 0..15, the fixed arguments, and the argument that the
    control's value becomes (None where it only sets something off)."""

    text: str
    row: Parameter
    slot: int | None
    given: tuple[Value, ...]
    filled: Argument | None

    def arguments(self, value: int) -> tuple[Value, ...] | None:
        """The row's arguments after the slot for a value 0..127; None where it does nothing."""
        if self.filled is None:
            return self.given if value >= HALF else None
        return (*self.given, scaled(self.filled, value))


def target_of(text: str, codes: Sequence[str]) -> ControlTarget:
    """The target a user names, for a kit with these slot codes. Raises ConfigError, one line."""
    try:
        address, *words = shlex.split(text) or [""]
    except ValueError as error:
        raise ConfigError(f"{text!r}: {error}") from error
    address = address.removeprefix(ROOT)
    row = _row_of(address)
    if row is None or not _suits(row):
        raise ConfigError(f"{address or text!r} is nothing that a control can move; docs/osc.md "
                          "lists values and actions")
    filled = _filled(row, len(words))
    given = [_typed(argument, word) for argument, word in zip(row.arguments, words, strict=False)]
    if len(words) > len(given):
        raise ConfigError(f"{row.address} takes {row.types or 'no arguments'}")
    probe = [] if filled is None else [scaled(filled, HALF)]
    requests = decode(f"{ROOT}{address}", [*given, *probe], codes)
    if len(requests) != 1:
        raise ConfigError(f"{address}: a control moves one thing, not {len(requests)}")
    (request,) = requests
    values = request.values[:len(request.values) - len(probe)]
    code = "" if request.slot is None else codes[request.slot]
    named = [code] if request.slot is not None and not row.per_slot else []
    told = [row.address_of(code), *named, *(_word(value) for value in values)]
    return ControlTarget(shlex.join(told), row, request.slot, values, filled)


def _row_of(address: str) -> Parameter | None:
    parts = address.split("/")
    if len(parts) == 4 and parts[1] == "slot":
        return BY_ADDRESS.get(f"/slot/{SLOT}/{parts[3]}")
    return BY_ADDRESS.get(address)


def _suits(row: Parameter) -> bool:
    if row.address.startswith("/learn"):
        return False
    return row.kind in (Kind.VALUE, Kind.ACTION) or (row.kind is Kind.LIVE and not row.pairs)


def _filled(row: Parameter, given: int) -> Argument | None:
    """The argument that the control gives. Raises ConfigError where more than one is missing."""
    missing = row.arguments[given:]
    if row.kind is not Kind.VALUE:  # of what is optional only the strength of a hit
        missing = tuple(argument for argument in missing if not argument.optional
                        or (row.kind is Kind.LIVE and argument.type == "f"))
    if not missing:
        return None
    ranged = missing[0].choices or (missing[0].type != "s" and missing[0].maximum is not None)
    if len(missing) > 1 or not ranged:
        raise ConfigError(
            f"{row.address} takes {', '.join(argument.name for argument in row.arguments)}: a "
            f"control gives one number; name {missing[0].name} after the address")
    return missing[0]


def _typed(argument: Argument, word: str) -> Value:
    if argument.type == "s":
        return word
    try:
        return float(word)
    except ValueError:
        raise ConfigError(f"{argument.name} {word!r}: must be {argument.accepted}") from None


def _word(value: Value) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def control_of(text: str) -> Control | None:
    """The control of a text such as `cc 10 21`; None where it is none."""
    found = CONTROL.fullmatch(text)
    if found is None:
        return None
    kind, channel, number = found[1], int(found[2]), int(found[3])
    if not (1 <= channel <= 16 and number <= 127):
        return None
    return ("cc" if kind == "cc" else "note", channel, number)


def text_of(control: Control) -> str:
    """`cc 10 21`"""
    return " ".join(map(str, control))


def can_be_learned(control: Control) -> bool:
    """Whether it is a knob, button or key, and nothing that MIDI itself gives a meaning to."""
    return control[0] == "note" or control[2] == VOLUME_CC or control[2] not in RESERVED_CC


class Learning:
    """What was learned, and what waits for a control to be moved."""

    def __init__(self, context: Context, learned: Mapping[str, str],
                 keep: Callable[[Mapping[str, str]], None]) -> None:
        """learned: what an earlier run has; keep: writes everything learned, on the disk's
        thread."""
        self.pending: ControlTarget | None = None
        self._context = context
        self._keep = keep
        # All of it by text, also what the present kit has no slot for.
        self._learned = dict(learned)
        self.bindings: Mapping[Control, ControlTarget] = {}
        self.follow()

    def follow(self) -> None:
        """Make the bindings anew: another kit has other slots, or something was learned."""
        self.bindings = self.bindings_for(self._context.codes)

    def bindings_for(self, codes: Sequence[str]) -> Mapping[Control, ControlTarget]:
        """What was learned of which a kit with these slot codes has the target."""
        bindings = {}
        for text, target in self._learned.items():
            control = control_of(text)
            try:
                if control is not None:
                    bindings[control] = target_of(target, codes)
            except ConfigError:
                continue  # it waits for a kit that has it
        return bindings

    def take(self, control: Control) -> None:
        """A control was moved; machine thread. The first that can be learned after /learn gets the
        target."""
        target = self.pending
        if target is None or not can_be_learned(control):
            return
        if control[0] == "note" and target.row.kind is Kind.VALUE and target.filled is not None:
            return  # a key has no positions: a value needs a knob
        self.pending = None
        self._change({**self._learned, text_of(control): target.text})
        self._context.emit(ParameterChanged("/learned", (text_of(control), target.text)))

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        return {"/learn": self._learn, "/learn/cancel": self._cancel,
                "/learn/forget": self._forget, "/learn/list": self._list}

    def _learn(self, call: Call) -> Answer:
        self.pending = target_of(str(call.arguments[0]), self._context.codes)
        return (self.pending.text,)

    def _cancel(self, _: Call) -> Answer:
        self.pending = None
        return ()

    def _forget(self, call: Call) -> Answer:
        text = str(call.arguments[0]).removeprefix(ROOT)
        gone = [control for control, target in self._learned.items()
                if text in (ALL, control, target)]
        if not gone and text != ALL:
            raise ConfigError(f"{text}: nothing of that was learned; /learn/list tells what was")
        self._change({control: target for control, target in self._learned.items()
                      if control not in gone})
        return (len(gone),)

    def _list(self, _: Call) -> Answer:
        return tuple(part for pair in self._learned.items() for part in pair)

    def _change(self, learned: dict[str, str]) -> None:
        self._learned = learned
        self.follow()
        self._context.disk.do("learned controls", partial(self._keep, learned))
