"""A picture of generated images: a row a class, cells of one size, and in the file where they lie.

Pure functions; whoever shows single cells reads the layout from the picture, not from here.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from gan808.toml_json import from_json

CELL = (128, 96)  # width and height of a spectrogram in pixels
GAP = 4
LABEL = 92
KEY = "gan808"  # of the text in the PNG that holds the layout
COLOURS = 64


@dataclass(frozen=True)
class GridLayout:
    """Where the cells of a picture are, in pixels. The cell of row r and column c begins at
    (left + c * (width + gap), top + r * (height + gap))."""

    rows: tuple[str, ...]
    per_row: int
    left: int
    top: int
    width: int
    height: int
    gap: int

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """The upper left pixel of a cell."""
        return (self.left + column * (self.width + self.gap),
                self.top + row * (self.height + self.gap))


def draw_grid(images: np.ndarray, rows: tuple[str, ...], per_row: int) -> bytes:
    """A PNG of normalised images, float32 (n, bands, frames) from -1 to 1, per_row to each named
    row; low bands at the bottom."""
    from matplotlib import colormaps

    layout = GridLayout(rows, per_row, LABEL, GAP, *CELL, GAP)
    colours = (colormaps["magma"](np.arange(256))[:, :3] * 255).astype(np.uint8)
    picture = Image.new("RGB", layout.corner(len(rows), per_row), "white")
    pen = ImageDraw.Draw(picture)
    levels = ((np.clip(images[:, ::-1], -1.0, 1.0) + 1.0) * 127.5).astype(np.uint8)
    for row, name in enumerate(rows):
        _, top = layout.corner(row, 0)
        pen.text((4, top + layout.height // 2 - 8), name.replace("_", " "), fill="black",
                 font_size=14)
        for column in range(per_row):
            cell = Image.fromarray(colours[levels[row * per_row + column]])
            picture.paste(cell.resize(CELL, Image.Resampling.BOX), layout.corner(row, column))
    text = PngImagePlugin.PngInfo()
    text.add_text(KEY, json.dumps(asdict(layout)))
    buffer = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


def read_layout(path: Path) -> GridLayout | None:
    """What a picture says of its cells; None for one that says nothing, or is none."""
    try:
        with Image.open(path) as opened:
            content = from_json(opened.info[KEY])
        return GridLayout(**{**content, "rows": tuple(content["rows"])})
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):  # Pillow's for broken PNGs
        return None
