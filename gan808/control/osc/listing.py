"""What `gan808 osc` prints: the parameter table for a reader, and a program. Pure; no thread."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gan808.instrument.parameter import ROOT, Argument, Kind, Parameter
from gan808.instrument.parameters import TABLE


def listing() -> list[tuple[str, str, str]]:
    """Address, arguments, and meaning with the answer, of every row, as cells of text."""
    head = (f"after {ROOT}", "arguments", "meaning -> answer")
    return [head, *((row.address, _arguments(row), row.help + _answer(row)) for row in TABLE)]


def description() -> list[dict[str, Any]]:
    """Every row with all that the table says of it, in plain types; addresses in full."""
    return [asdict(row) | {"address": ROOT + row.address, "kind": row.kind.value,
                           "reply_address": row.reply_address and ROOT + row.reply_address}
            for row in TABLE]


def _arguments(row: Parameter) -> str:
    return "  ".join(map(_argument, row.arguments))


def _argument(argument: Argument) -> str:
    """`f level 0..1 = 0.8`, in brackets if it may be left out."""
    parts = [argument.type, argument.name]
    if argument.choices:
        parts.append("|".join(argument.choices))
    if argument.minimum is not None and argument.maximum is not None:
        parts.append(f"{argument.minimum:.10g}..{argument.maximum:.10g}")
    if argument.unit:
        parts.append(argument.unit)
    if argument.default is not None:
        parts.append(f"= {argument.default}")
    text = " ".join(parts)
    return f"[{text}]" if argument.optional else text


def _answer(row: Parameter) -> str:
    if row.kind is Kind.EVENT:
        return " (sent)"
    answer = " ".join(part for part in (row.reply_address, row.reply) if part)
    return answer and f" -> {answer}"
