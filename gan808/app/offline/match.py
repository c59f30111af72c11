"""`gan808 match`: the sound of a kit that is nearest to a recording, as a WAV, and its id.

The networks run in this process; nothing plays.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gan808 import paths
from gan808.app.offline.render import classes_of, make_renderer
from gan808.config import Settings
from gan808.pool.render_child import limit_threads


@dataclass(frozen=True)
class MatchOrder:
    """The recording, where to look (a class or "all", so many seeds of each, so many steps of
    refinement) and the folder for the WAV files."""

    recording: Path
    class_name: str
    seeds: int
    steps: int
    folder: Path


def match_file(settings: Settings, order: MatchOrder) -> Iterator[str]:
    """Write the nearest plain seed's sound and, when refinement has come nearer, that one too.

    Yields a line for each: its distance, file and id; on stderr it is told how far the search is.
    Raises KitError, ConfigError for a class that is not in the kit, RenderError for a recording
    that cannot be used, Gan808Error when a file cannot be written.
    """
    limit_threads(settings.renderer.threads)
    from rich.console import Console

    from gan808.progress import shown
    from gan808.sound.kit.kit import find_kit
    from gan808.sound.match import Matcher, read_target
    from gan808.storage.library import Library

    kit = find_kit(settings.kit.name, paths.kit_folders())
    classes = classes_of(kit, order.class_name)
    target = read_target(order.recording, kit.geometry)
    renderer = make_renderer(kit, settings, None)
    with shown(Console(file=sys.stderr), "searching") as bar:
        found = Matcher(renderer, target).match(
            classes, seeds=order.seeds, steps=order.steps, progress=bar.update)
    library = Library(paths.kit_folders(), (), order.folder, order.folder)
    results = [("nearest seed", found.nearest, found.nearest_db)]
    if found.refined_db < found.nearest_db:
        results.append(("refined", found.refined, found.refined_db))
    for what, sound, distance_db in results:
        path = library.export(sound, sound.file_stem("_"))
        yield f"{path}  {what}, {distance_db:.2f} dB away: {sound.id}"
