"""Kits to load, list and save, and the other names there are in folders. Machine thread only; the
disk's thread reads and writes.
"""

from __future__ import annotations

from functools import partial

from gan808.instrument.calls import Call, Handler
from gan808.instrument.context import Context
from gan808.instrument.kit_switch import KitLoading
from gan808.instrument.snapshots import Snapshots


class KitCommands:
    """What the library holds by name."""

    def __init__(self, context: Context, loading: KitLoading, snapshots: Snapshots) -> None:
        self._context = context
        self._snapshots = snapshots
        self._loading = loading

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        library, names = self._context.library, self._context.disk.list_for
        return {
            "/kit/load": self._loading.load,
            "/kit/save": self._save,
            "/export": self._export,
            "/kit/list": partial(names, lambda: library.kit_names()),
            "/scene/list": partial(names, lambda: library.scene_names()),
            "/seq/patterns": partial(names, lambda: library.pattern_names()),
            "/seq/songs": partial(names, lambda: library.song_names()),
        }

    def _save(self, call: Call) -> None:
        context, name = self._context, str(call.arguments[0])
        sounds = [slot.sound for slot in context.swaps.slots if slot.sound is not None]
        own = [sound for sound in sounds if sound.kit == context.kit.name and not sound.file]
        context.disk.do_for(call, partial(context.library.save_kit, context.kit, own, name),
                            lambda _: call.answer((name,)))

    def _export(self, call: Call) -> None:
        context, (format_name, name) = self._context, map(str, call.arguments)
        context.disk.do_for(
            call, partial(context.library.export_kit, context.kit, self._snapshots.state(),
                          format_name, context.engine.sample_rate_hz, name),
            lambda path: call.answer((str(path),)))
