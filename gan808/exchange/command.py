"""`gan808 export ... --as FORMAT`. Main thread; nothing plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gan808.errors import ConfigError
from gan808.exchange.collecting import Amounts, collect
from gan808.exchange.exported_kit import BITS
from gan808.exchange.formats import require_format, require_place, write_export

RATES_HZ = (44_100, 48_000)


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What the command line asks for."""

    source: str
    format_name: str
    out: Path | None
    amounts: Amounts = field(default_factory=Amounts)
    rate_hz: int = 48_000
    bits: int = 24


def export_sounds(order: ExportOrder) -> str:
    """Write the export and return one line about it. Raises Gan808Error."""
    export_format = require_format(order.format_name)
    if order.out is None:
        raise ConfigError("--out is missing: the file or folder to write")
    if order.rate_hz not in RATES_HZ:
        raise ConfigError(f"--rate {order.rate_hz}: give 44100 or 48000")
    if order.bits not in BITS:
        raise ConfigError(f"--bits {order.bits}: give 16 or 24")
    require_place(order.out, export_format)
    kit = collect(order.source, order.amounts, order.rate_hz, order.bits)
    write_export(kit, export_format, order.out)
    return f"{order.out}: {len(kit.slots)} slots, {len(kit.samples())} sounds"
