"""`gan808 render`: sounds into WAV files. The networks run in this process; nothing plays."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gan808 import paths
from gan808.config import HIGHEST_SEED, Settings
from gan808.errors import ConfigError
from gan808.pool.render_child import limit_threads
from gan808.sound.class_mix import parse_class, require_classes
from gan808.sound.latent import Point

if TYPE_CHECKING:
    from gan808.sound.kit.kit import Kit
    from gan808.sound.renderer import Renderer

ALL = "all"
Job = TypeVar("Job")


@dataclass(frozen=True)
class RenderOrder:
    """What to render: a class of the kit, a mix of some or "all", the points of its latent space,
    the folder and the rate in Hz (None: the kit's own). mix: a class on the way to which so many
    steps are made of each point, both ends among them (a single one lies half way)."""

    class_name: str
    points: Sequence[Point]
    folder: Path
    rate_hz: int | None
    mix: str | None = None
    steps: int = 1


def render_files(settings: Settings, order: RenderOrder) -> Iterator[str]:
    """Render every class and point of the order to FOLDER/KIT_CLASS_SEED.wav, 24 bits.

    Yields a line for each file. Shows a progress bar when stderr is a terminal. Raises KitError,
    ConfigError for a class that is not in the kit, Gan808Error when a file cannot be written.
    """
    limit_threads(settings.renderer.threads)
    from gan808.sound.kit.kit import find_kit
    from gan808.storage.library import Library

    kit = find_kit(settings.kit.name, paths.kit_folders())
    classes = classes_of(kit, order.class_name) if "+" not in order.class_name else (
        str(require_classes(order.class_name, kit.classes, kit.name)),)
    if (highest := max(point.seed for point in order.points)) > HIGHEST_SEED:
        raise ConfigError(f"seed {highest}: seeds end at {HIGHEST_SEED}")
    library = Library(paths.kit_folders(), (), order.folder, order.folder)
    renderer = make_renderer(kit, settings, order.rate_hz)
    names = [name for each in classes for name in mixes_of(kit, each, order.mix, order.steps)]
    jobs = [(class_name, point) for class_name in names for point in order.points]
    for batch in batches(jobs, settings.renderer.batch, lines=False):
        for sound in renderer.render(*zip(*batch, strict=True)):
            path = library.export(sound, sound.file_stem("_"))
            refused = renderer.rejection(sound)
            yield f"{path}  heard {sound.class_heard} {sound.confidence:.2f}" + (
                f", {refused}: not for playing" if refused else ""
            )


def points_from(
    start: Point, count: int, *, near: float | None = None, morph: int | None = None
) -> list[Point]:
    """The points of an order that begins at `start`, each as wide as it.

    Without near and morph: one seed after the other. near: so many neighbours at that radius.
    morph: so many steps towards that seed, both ends among them (a single one lies half way).
    Raises ConfigError for both at once or numbers out of range.
    """
    if near is not None and morph is not None:
        raise ConfigError("--near and --morph: give one of them")
    if near is not None:
        return [start.near(number, near) for number in range(count)]
    if morph is not None:
        return [start.towards(morph, share) for share in _shares(count)]
    if start.steps:
        if count > 1:
            raise ConfigError("--count: with an --id that is no plain seed, give --near or --morph")
        return [start]
    return [Point(start.seed + i, width=start.width) for i in range(count)]


def classes_of(kit: Kit, class_name: str) -> Sequence[str]:
    if class_name == ALL:
        return kit.classes
    if class_name not in kit.classes:
        raise ConfigError(
            f"--class {class_name}: kit {kit.name} has {', '.join(kit.classes)}; or give all"
        )
    return (class_name,)


def mixes_of(kit: Kit, class_name: str, mix: str | None, steps: int) -> Sequence[str]:
    """A class, or so many steps from it to the class `mix`. Raises ConfigError."""
    if mix is None:
        return (class_name,)
    if mix not in kit.classes:
        raise ConfigError(f"--mix {mix}: kit {kit.name} has {', '.join(kit.classes)}")
    start = parse_class(class_name)
    return list(dict.fromkeys(str(start.towards(mix, share)) for share in _shares(steps)))


def _shares(count: int) -> list[float]:
    return [i / (count - 1) for i in range(count)] if count > 1 else [0.5]


def make_renderer(kit: Kit, settings: Settings, rate_hz: int | None) -> Renderer:
    from gan808.sound.renderer import Renderer

    return Renderer(
        kit,
        rate_hz or kit.geometry.sample_rate_hz,
        threads=settings.renderer.threads,
        griffin_lim_rounds=settings.renderer.griffin_lim_rounds,
    )


def batches(jobs: Sequence[Job], size: int, *, lines: bool) -> Iterator[Sequence[Job]]:
    """The jobs in groups, with a progress bar on stderr where that is a terminal; elsewhere with
    lines, if the caller prints none."""
    from rich.console import Console

    from gan808.progress import shown

    console = Console(file=sys.stderr)
    console.quiet = not (lines or console.is_terminal)
    with shown(console, "rendering") as bar:
        for start in range(0, len(jobs), size):
            batch = jobs[start : start + size]
            yield batch
            bar.update((start + len(batch)) / len(jobs))
