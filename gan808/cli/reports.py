"""What the command line prints about kits, devices and a running daemon: data in, lines out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gan808 import paths
from gan808.columns import columns
from gan808.config import Settings
from gan808.errors import Gan808Error, KitError
from gan808.sound.kit.kit import MANIFEST, Kit, find_kit, list_kits


def kit_lines() -> list[str]:
    """A line for each kit: name, size, recipe, folder; a broken one with what is wrong."""
    kits = list_kits(paths.kit_folders())
    lines = columns(
        (
            kit.name,
            f"{len(kit.classes)} classes",
            f"{len(kit.slots)} slots",
            f"{len(kit.manifest.factory)} factory sounds",
            str(kit.folder),
        )
        for kit in kits
        if isinstance(kit, Kit)
    )
    lines += [f"broken: {error}" for error in kits if isinstance(error, KitError)]
    return lines or [f"no kits; train one, or put its folder into {paths.user_kits_folder()}"]


def kit_description(name: str) -> list[str]:
    """Everything kit.toml says of interest to a player. Raises KitError."""
    kit = find_kit(name, paths.kit_folders())
    manifest, geometry = kit.manifest, kit.geometry
    hours = f"{manifest.training_steps} steps, {manifest.training_hours:.1f} h"
    accepts = manifest.thresholds
    least = sorted(accepts.realness.values())
    realness = f", realness {least[0]:.3f} to {least[-1]:.3f} and up by class" if least else ""
    named = Counter(accepts.quantile.values()).most_common()
    if named:
        realness += " (quantile: " + ", ".join(f"{name} for {n}" for name, n in named) + ")"
    sources = [
        ("source", ", ".join(filter(None, (f"{p.source}: {p.sounds} sounds", p.licence, p.author))))
        for p in manifest.provenance
    ]
    facts = [
        ("kit", kit.name),
        ("about", manifest.description or "-"),
        ("folder", str(kit.folder)),
        ("made", f"{manifest.made or '-'}, recipe {manifest.recipe or '-'}, {hours}"),
        ("sound", f"{geometry.sample_rate_hz} Hz, {geometry.n_bands} x {geometry.n_frames} bands"),
        ("classes", ", ".join(kit.classes)),
        ("accepts", f"confidence {accepts.confidence:.2f} and up{realness}"),
        *sources,
    ]
    slots = [
        (str(number), slot.code, slot.name, slot.class_name + (f" {slot.filter}" if slot.filter
         else ""), " ".join(map(str, slot.notes)), f"choke {slot.choke}" if slot.choke else "")
        for number, slot in enumerate(kit.slots, 1)
    ]
    return [*columns(facts), "", *columns([("slot", "", "", "class", "notes", ""), *slots])]


def kit_problems(path: str) -> list[str]:
    """What is wrong with a kit given by folder or name; empty when it is whole.

    A name wins over a folder of the working directory that is no kit, the package for one.
    """
    is_name = Path(path).name == path != ".."
    named = next((f / path for f in paths.kit_folders() if is_name and (f / path).is_dir()),
                 Path(path))
    folder = Path(path) if (Path(path) / MANIFEST).is_file() else named
    if not folder.is_dir():
        return [f"kit {path!r} not found; `gan808 kits list` shows what there is"]
    from gan808.sound.kit.verify import verify_kit  # which loads the renderer

    return verify_kit(folder)


def status_table(answer: Mapping[str, Any]) -> list[str]:
    """The answer of status_client.ask_status for a reader."""
    rows = [
        ("pattern", f"{answer.get('pattern', '-')} at {answer.get('tempo_bpm', 0):.4g} BPM"),
        ("evolve", f"{answer.get('evolve', 0):.3g} new sounds a bar"),
        ("sound", f"{answer['rate']:.0f} Hz, {answer['latency_ms']:.1f} ms" if answer["rate"]
         else "no device is open; it is opened again when it is back"),
        ("voices", str(answer["voices"])),
        ("load", f"{answer['load']:.1%}"),
        ("peak", f"{answer['peak']:.2f}"),
        ("xruns", str(answer["xruns"])),
        ("late", str(answer.get("late", "-"))),
        ("stolen", str(answer.get("stolen", "-"))),
        ("dropped", str(answer.get("dropped", "-"))),
        ("scene", str(answer.get("scene") or "-")),
        ("state", str(answer.get("state", "-"))),
        ("pool", str(answer["pool"])),
    ]
    stock = sorted(dict(answer.get("stock", {})).items())
    return columns(rows + [(f"  {name}", str(count)) for name, count in stock])


def describe_devices(settings: Settings) -> list[str]:
    """The audio outputs and MIDI ports there are, and what `run` would take of each."""
    from gan808.engine.outputs.jack import JACK_HOST_API

    output = _chosen_output(settings)
    return [
        "audio outputs",
        *_indented(_outputs()),
        f"  run takes: {output}",
        "",
        "MIDI inputs",
        *_indented(_midi_inputs()),
        f"  run takes: {_chosen_midi(settings, jack=output.startswith(JACK_HOST_API))}",
        "",
        "MIDI outputs, for a clock and notes",
        *_indented(_midi_outputs()),
        f"  clock goes to: {_sent_to(settings.midi.clock_out)}",
        f"  notes go to: {_sent_to(settings.midi.notes_out)}",
        "",
        "OSC",
        f"  run takes: {_chosen_osc(settings)}",
        "",
        *columns([
            ("your settings", str(paths.user_config_file())),
            ("their defaults", str(paths.shipped_config_file())),
            ("your kits", str(paths.user_kits_folder())),
            ("your patterns", str(paths.user_patterns_folder())),
            ("your songs", str(paths.songs_folder())),
            ("your scenes", str(paths.scenes_folder())),
            ("state", str(paths.state_folder())),
            ("learned", str(paths.controls_file())),
            ("imports", settings.imports.folder or str(paths.imports_folder())),
            ("recordings", str(paths.recordings_folder())),
        ]),
    ]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _outputs() -> list[str]:
    from gan808.engine.outputs.registry import list_outputs

    try:
        found = list_outputs()
    except Gan808Error as error:
        return [f"none: {error}"]
    rows = [
        (device.host_api, device.name, f"{device.channels} channels",
         f"{device.default_sample_rate_hz} Hz", "default" if device.is_default else "")
        for device in found
    ]
    return columns(rows) or ["none"]


def _chosen_output(settings: Settings) -> str:
    from gan808.engine.outputs.registry import open_output

    audio = settings.audio
    try:
        output = open_output(
            audio.output,
            sample_rate_hz=audio.sample_rate_hz or None,
            block_frames=audio.block_frames or None,
            file_dir=paths.recordings_folder(),
        )
    except Gan808Error as error:
        return f"none: {error}"
    return f"{output.name} ({audio.output}), {output.sample_rate_hz} Hz"


def _midi_inputs() -> list[str]:
    from gan808.control.midi.systems import list_midi_inputs

    try:
        found = list_midi_inputs()
    except Gan808Error as error:
        return [f"none: {error}"]
    return columns((port.system, port.name) for port in found) or ["none"]


def _chosen_midi(settings: Settings, *, jack: bool) -> str:
    from gan808.control.midi.jack_port import VIRTUAL_NAME
    from gan808.control.midi.ports import OFF

    if settings.midi.port == OFF:
        return "none (off)"
    channel = f"channel {settings.midi.channel}" if settings.midi.channel else "every channel"
    own = f", one of its own on JACK: {VIRTUAL_NAME}" if jack else ""
    return f"{settings.midi.port}{own}, {channel}"


def _midi_outputs() -> list[str]:
    from gan808.control.midi.outputs import list_midi_outputs

    try:
        found = list_midi_outputs()
    except Gan808Error as error:
        return [f"none: {error}"]
    return columns(found) or ["none"]


def _sent_to(choice: str) -> str:
    return "none (off)" if choice == "off" else choice


def _chosen_osc(settings: Settings) -> str:
    osc = settings.osc
    return f"udp {osc.host}:{osc.port}" if osc.enabled else "none (off)"
