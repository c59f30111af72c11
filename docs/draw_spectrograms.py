"""Draws docs/spectrograms.png: finished sounds of the default kit, as the critic sees them.

Run it after the kit has changed: .venv/bin/python docs/draw_spectrograms.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from gan808 import paths
from gan808.sound.kit.kit import find_kit
from gan808.sound.renderer import Renderer
from gan808.sound.sound import Sound

PICTURE = Path(__file__).with_name("spectrograms.png")
COLUMNS = 8
SEEDS = range(40)


def accepted(renderer: Renderer, class_name: str) -> list[Sound]:
    """The first COLUMNS seeds of a class that the instrument itself would play."""
    sounds = renderer.render([class_name] * len(SEEDS), SEEDS)
    good = [
        sound
        for sound in sounds
        if renderer.rejection(sound) is None and sound.class_heard == class_name
    ]
    return good[:COLUMNS]


def draw(rows: dict[str, np.ndarray]) -> Figure:
    """Two halves side by side, a row a class; rows: normalised images (COLUMNS, bands, frames)."""
    half = -(-len(rows) // 2)
    figure = Figure(figsize=(13, 0.95 * half), layout="constrained")
    axes = figure.subplots(half, 2 * COLUMNS, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for number, (class_name, images) in enumerate(rows.items()):
        place = axes[number % half][COLUMNS * (number // half) :]
        place[0].set_title(class_name.replace("_", " "), loc="left", fontsize=9, pad=2)
        for axis, image in zip(place, images, strict=False):
            axis.imshow(image, origin="lower", aspect="auto", vmin=-0.3, vmax=1, cmap="magma")
    return figure


def main() -> None:
    kit = find_kit("gan808", (paths.shipped_folder() / "kits",))
    renderer = Renderer(kit, kit.geometry.sample_rate_hz, threads=0)
    rows = {}
    for class_name in kit.classes:
        sounds = accepted(renderer, class_name)
        rows[class_name] = renderer.images_of([sound.audio for sound in sounds])[..., 0]
    draw(rows).savefig(PICTURE, dpi=75)


if __name__ == "__main__":
    main()
