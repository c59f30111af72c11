"""What is exported: the slots of a kit, of the last run, of a scene, or the favourites, with their
sounds from the kit's renderer. Offline; main thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gan808 import paths
from gan808.errors import ConfigError
from gan808.exchange.exported_kit import ExportedKit, ExportedSlot, Layer
from gan808.instrument.state import State
from gan808.sound.kit.kit import Kit, find_kit
from gan808.sound.kit.slots import SlotLayout
from gan808.sound.latent import Point, parse_id
from gan808.sound.sound import Sound, parse_file_id

if TYPE_CHECKING:
    from gan808.sound.renderer import Renderer

NOW, FAVOURITES, SCENE = "now", "favourites", "scene:"
NEAR = 0.15  # radius of the sounds that take turns: heard as one drum


@dataclass(frozen=True, slots=True)
class Amounts:
    """Sounds a slot, sounds that take turns, velocity layers; each at least 1."""

    count: int = 1
    round_robin: int = 1
    velocities: int = 1

    @property
    def neighbours(self) -> int:
        """So many sounds are made of each."""
        return self.round_robin * self.velocities


def collect(source: str, amounts: Amounts, rate_hz: int, bits: int) -> ExportedKit:
    """The kit that `gan808 export` names. Raises Gan808Error."""
    if source == FAVOURITES:
        raise ConfigError("favourites: cannot be exported yet; give a kit, now or scene:NAME")
    if source == NOW or source.startswith(SCENE):
        state = _state(source, rate_hz)
        kit = find_kit(state.kit, paths.kit_folders())
    else:
        state, kit = None, find_kit(source, paths.kit_folders())
    render = _rendering(kit, rate_hz)
    slots = [_slot(kit, layout, state, amounts, rate_hz, render) for layout in kit.slots]
    licences = sorted({entry.licence for entry in kit.manifest.provenance})
    name = kit.name if state is None else f"{kit.name} {source.removeprefix(SCENE)}"
    return ExportedKit(name, ", ".join(licences) or "unknown", rate_hz, bits,
                       tuple(slot for slot in slots if slot.layers))


def _state(source: str, rate_hz: int) -> State:
    from gan808.storage.scene_files import load_scene
    from gan808.storage.session_files import StateFiles

    if source.startswith(SCENE):
        return load_scene(paths.scenes_folder(), source.removeprefix(SCENE), rate_hz)
    files = StateFiles(paths.state_folder())
    state = files.read()
    if state is None:
        raise ConfigError("now: no run has kept its state yet; give a kit's name")
    kit = find_kit(state.kit, paths.kit_folders())
    # The slots are kept by what finds the kit, a path for one outside the kits folders.
    slots = files.slots(state.kit, rate_hz) or files.slots(kit.name, rate_hz)
    return replace(state, slots=slots)


Render = Callable[[Sequence[tuple[str, Point]]], list[Sound]]


def _rendering(kit: Kit, rate_hz: int) -> Render:
    """Renders points; the networks are loaded when the first is asked for."""
    made: list[Renderer] = []

    def render(pairs: Sequence[tuple[str, Point]]) -> list[Sound]:
        from gan808.sound.renderer import Renderer

        if not made:
            made.append(Renderer(kit, rate_hz))
        return made[0].render([name for name, _ in pairs], [point for _, point in pairs])

    return render


def _slot(kit: Kit, layout: SlotLayout, state: State | None, amounts: Amounts, rate_hz: int,
          render: Render) -> ExportedSlot:
    kept = state.by_code().get(layout.code) if state else None
    start: list[Sound] = []
    if kept is not None and kept.sound is not None:
        start = [kept.sound]
    elif kept is not None and (file := parse_file_id(kept.sound_id)) is not None:
        raise ConfigError(f"{layout.code}: its sound, of the file {file.name}, is not kept any "
                          "more; load it again")
    elif kept is not None and kept.sound_id:
        _, class_name, point = parse_id(kept.sound_id)
        start = render([(class_name, point)])
    else:
        start = _factory(kit, layout, rate_hz)[:amounts.count]
    missing = amounts.count - len(start)
    if missing > 0:
        start += render([(layout.class_name, Point(seed)) for seed in range(1, missing + 1)])
    values = kept.values if kept else {}
    return ExportedSlot(
        layout.code, layout.name, layout.notes[0], _layers(start, amounts, render),
        level=float(values.get("level", 1.0)), pan=float(values.get("pan", 0.0)),
        tune_semitones=float(values.get("tune", 0.0)), choke=layout.choke)


def _factory(kit: Kit, layout: SlotLayout, rate_hz: int) -> list[Sound]:
    """The factory sounds of the slot's class; of its third by pitch where it takes one."""
    own = [s for s in kit.factory_sounds(rate_hz) if s.main_class == layout.class_name]
    if layout.third is None or len(own) < 3:
        return own
    own.sort(key=lambda sound: sound.descriptors.pitch_hz)
    return own[layout.third * len(own) // 3:(layout.third + 1) * len(own) // 3]


def _layers(start: list[Sound], amounts: Amounts, render: Render) -> tuple[Layer, ...]:
    """Every sound with its neighbours, dealt into layers of velocity: the darkest softest."""
    if any(sound.file for sound in start):  # which has no neighbours
        return (Layer(1, 127, tuple(start)),)
    sounds = list(start)
    if amounts.neighbours > 1 and start:
        sounds += render([(s.class_asked, s.point.near(number, NEAR)) for s in start
                          for number in range(1, amounts.neighbours)])
    sounds.sort(key=lambda sound: sound.descriptors.brightness_hz)
    if amounts.velocities == 1:
        sounds.sort(key=lambda sound: sound.id not in {s.id for s in start})  # its own first
    n = amounts.velocities
    bounds = [round(127 * i / n) for i in range(n + 1)]
    size = len(sounds) // n
    return tuple(Layer(bounds[i] + 1, bounds[i + 1], tuple(sounds[i * size:(i + 1) * size]))
                 for i in range(n) if size)
