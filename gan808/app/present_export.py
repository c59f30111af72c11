"""What `/export` calls, on the disk's thread. Loads the exporter when first called:
a start does not wait for it."""

from __future__ import annotations

from pathlib import Path

from gan808.instrument.protocols import KitLike
from gan808.instrument.state import State


def export_present(kit: KitLike, state: State, format_name: str, rate_hz: int, place: Path) -> Path:
    """Write the sounds of a running machine; see `write_present`. Raises Gan808Error."""
    from gan808.app.offline.export import write_present

    return write_present(kit, state, format_name, rate_hz, place)
