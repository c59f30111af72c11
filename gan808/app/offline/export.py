"""`gan808 export ... --as FORMAT`, and what `/export` writes: where the sounds come from. The
command runs on the main thread and nothing plays; `write_present` on the disk's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gan808 import paths
from gan808.errors import ConfigError, KitError
from gan808.exchange.collecting import Amounts, Form, exported_kit, exported_sounds
from gan808.exchange.exported_kit import BITS, ExportedKit
from gan808.exchange.formats import require_format, require_place, write_export
from gan808.exchange.new_sounds import NewSounds
from gan808.instrument.protocols import KitLike
from gan808.sound.kit.kit import Kit, find_kit

if TYPE_CHECKING:
    from gan808.instrument.state import State

RATES_HZ = (44_100, 48_000)
NOW, FAVOURITES, SCENE = "now", "favourites", "scene:"


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What the command line asks for."""

    source: str
    format_name: str
    out: Path | None
    amounts: Amounts = field(default_factory=Amounts)
    form: Form = field(default_factory=Form)


def export_sounds(order: ExportOrder) -> str:
    """Write the export and return one line about it. Raises Gan808Error."""
    export_format = require_format(order.format_name)
    if order.out is None:
        raise ConfigError("--out is missing: the file or folder to write")
    if order.form.rate_hz not in RATES_HZ:
        raise ConfigError(f"--rate {order.form.rate_hz}: give 44100 or 48000")
    if order.form.bits not in BITS:
        raise ConfigError(f"--bits {order.form.bits}: give 16 or 24")
    require_place(order.out, export_format)
    kit = collect(order.source, order.amounts, order.form)
    write_export(kit, export_format, order.out)
    return f"{order.out}: {len(kit.slots)} slots, {len(kit.samples())} sounds"


def collect(source: str, amounts: Amounts, form: Form) -> ExportedKit:
    """The kit that `gan808 export` names. Raises Gan808Error."""
    if source == FAVOURITES:
        return _favourites(amounts, form)
    state = None
    if source == NOW or source.startswith(SCENE):
        state = _state(source, form.rate_hz)
    kit = find_kit(source if state is None else state.kit, paths.kit_folders())
    name = kit.name if state is None else f"{kit.name} {source.removeprefix(SCENE)}"
    return exported_kit(name, kit, state, form, amounts, NewSounds(kit, form.rate_hz))


def write_present(kit: KitLike, state: State, format_name: str, rate_hz: int, place: Path) -> Path:
    """Write the sounds of a running machine to `place`, with the format's suffix where that is one
    file. Nothing is rendered. Returns what was written. Raises Gan808Error."""
    export_format = require_format(format_name)
    if not isinstance(kit, Kit):
        raise KitError(f"kit {kit.name!r} is not on disk, so it cannot be exported")
    out = place.with_name(f"{place.name}.{format_name}") if export_format.one_file else place
    write_export(exported_kit(f"{kit.name} {place.name}", kit, state, Form(rate_hz)),
                 export_format, out)
    return out


def _favourites(amounts: Amounts, form: Form) -> ExportedKit:
    from gan808.storage.favourites import read_favourites

    if amounts != Amounts():
        raise ConfigError("favourites: all of them are exported as they are; leave out --count, "
                          "--round-robin and --velocities")
    folder = paths.favourites_folder()
    sounds = read_favourites(folder, form.rate_hz)
    if not sounds:
        raise ConfigError(f"favourites: there are none in {folder}; /sound/keep makes one")
    return exported_sounds(FAVOURITES, sounds, form)


def _state(source: str, rate_hz: int) -> State:
    from gan808.storage.scene_files import load_scene
    from gan808.storage.session_files import StateFiles

    if source.startswith(SCENE):
        return load_scene(paths.scenes_folder(), source.removeprefix(SCENE), rate_hz)
    files = StateFiles(paths.state_folder())
    try:
        state = files.read()
    except OSError as error:
        raise ConfigError(f"now: {files.folder}: cannot be read: {error.strerror}") from error
    if state is None:
        raise ConfigError("now: no run has kept its state yet; give a kit's name")
    kit = find_kit(state.kit, paths.kit_folders())
    # The slots are kept by what finds the kit, a path for one outside the kits folders.
    slots = files.slots(state.kit, rate_hz) or files.slots(kit.name, rate_hz)
    return replace(state, slots=slots)
