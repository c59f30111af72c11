"""Pictures of a training: sounds as spectrogram and waveform, confusion, losses, and how it went.

Drawn with Pillow where there are hundreds of cells, with Matplotlib where there are axes.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from gan808.sound.spectral.geometry import Geometry

from .listening import log_images_of

CELL = (104, 96)  # width and height of a spectrogram in pixels
WAVE = 26  # height of the waveform above it
GAP = 4
LABEL = 84
RANGE_NEPERS = 8.0  # 70 dB below the loudest point is black
GRADIENTS = "norm_"  # how the names of gradient norms begin: a scale of their own
SCORES = {"frechet_distance": "Frechet distance to held-out recordings",
          "class_accuracy": "recognised as its class", "inception_score": "Inception score",
          "spread": "mean distance inside a class"}
SMOOTH = 50  # log lines in a running mean
FRAMES, FRAME_S, FRAME_WIDTH = 16, 0.5, 260


def _spectrogram(image: np.ndarray) -> Image.Image:
    """A log image in nepers, float32 (bands, frames), low at the bottom."""
    from matplotlib import colormaps

    level = np.clip((image[::-1] - image.max()) / RANGE_NEPERS + 1.0, 0.0, 1.0)
    coloured = np.asarray(colormaps["magma"](level)[..., :3] * 255, dtype=np.uint8)
    return Image.fromarray(coloured).resize(CELL, Image.Resampling.BOX)


def _waveform(audio: np.ndarray, n_samples: int) -> Image.Image:
    """Its extremes in each column, over the time that an image spans."""
    picture = Image.new("RGB", (CELL[0], WAVE), "black")
    pen = ImageDraw.Draw(picture)
    whole = np.zeros(n_samples, dtype=np.float32)
    whole[: min(len(audio), n_samples)] = audio[:n_samples]
    middle = (WAVE - 1) / 2
    for x, part in enumerate(np.array_split(whole / max(np.abs(whole).max(), 1e-6), CELL[0])):
        pen.line([(x, middle - middle * part.max()), (x, middle - middle * part.min())],
                 fill=(252, 197, 125))
    return picture


def cell(audio: np.ndarray, geometry: Geometry) -> Image.Image:
    """One sound, float32 (n,) at the geometry's rate: its waveform above its spectrogram."""
    picture = Image.new("RGB", (CELL[0], WAVE + CELL[1]), "black")
    picture.paste(_waveform(audio, geometry.n_samples), (0, 0))
    picture.paste(_spectrogram(log_images_of([audio], geometry)[0]), (0, WAVE))
    return picture


def page(
    real: Mapping[str, Sequence[np.ndarray]], generated: Mapping[str, Sequence[np.ndarray]],
    geometry: Geometry, columns: int,
) -> Image.Image:
    """A row a class: so many recordings on the left, as many generated sounds on the right."""
    wide, high = CELL[0] + GAP, CELL[1] + WAVE + GAP
    right = LABEL + columns * wide + 4 * GAP
    picture = Image.new("RGB", (right + columns * wide, 20 + high * len(generated)), "white")
    pen = ImageDraw.Draw(picture)
    pen.text((LABEL, 4), "recordings, through the codec", fill="black", font_size=12)
    pen.text((right, 4), "generated", fill="black", font_size=12)
    for row, name in enumerate(generated):
        top = 20 + row * high
        pen.text((2, top + high // 2 - 8), name.replace("_", " "), fill="black", font_size=13)
        for left, sounds in ((LABEL, real.get(name, ())), (right, generated[name])):
            for column, audio in enumerate(sounds[:columns]):
                picture.paste(cell(audio, geometry), (left + column * wide, top))
    return picture.quantize(64, dither=Image.Dither.NONE)


def encoded(picture: Image.Image, kind: str) -> bytes:
    """A picture as the bytes of a file: PNG, WEBP, GIF."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=80)
    return buffer.getvalue()


def draw_confusion(
    path: Path, tables: Mapping[str, Sequence[Sequence[int]]], classes: Sequence[str]
) -> None:
    """Side by side under their titles: rows are what a sound stands for, columns what it is heard
    as, shares of the row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(tables), 4.8), layout="constrained")
    axes = figure.subplots(1, len(tables), squeeze=False)[0]
    names = [name.replace("_", " ") for name in classes]
    for axis, (title, counts) in zip(axes, tables.items(), strict=True):
        table = np.asarray(counts, dtype=float)
        shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
        axis.imshow(shares, vmin=0, vmax=1, cmap="Blues")
        axis.set_xticks(range(len(names)), names, rotation=90)
        axis.set_yticks(range(len(names)), names)
        axis.set_title(title)
        axis.set_xlabel("heard as")
        for i, j in zip(*np.nonzero(shares >= 0.005), strict=True):
            axis.text(j, i, f"{100 * shares[i, j]:.0f}", ha="center", va="center", fontsize=7,
                      color="white" if shares[i, j] > 0.5 else "black")
    figure.savefig(path, dpi=80)


def draw_losses(losses: Path, picture: Path) -> None:
    """A picture of RUN/losses.csv, each loss as a running mean."""
    from matplotlib.figure import Figure

    lines: dict[str, list[tuple[int, float]]] = defaultdict(list)
    with losses.open(newline="") as file:
        for row in csv.DictReader(file):
            if not row["name"].startswith(GRADIENTS):
                lines[row["name"]].append((int(row["step"]), float(row["value"])))
    figure = Figure(figsize=(8, 4), layout="constrained")
    axis = figure.subplots()
    for name, points in lines.items():
        steps, values = (np.asarray(column, dtype=float) for column in zip(*points, strict=True))
        n = min(SMOOTH, len(values))
        axis.plot(steps[n - 1 :], np.convolve(values, np.ones(n) / n, "valid"), label=name)
    axis.set_xlabel("step")
    axis.set_ylabel("loss")
    if lines:
        axis.legend()
    figure.savefig(picture, dpi=80)


def draw_scores(scores: Path, picture: Path) -> None:
    """A picture of RUN/scores.csv: what held-out recordings said of the generator as it learnt."""
    from matplotlib.figure import Figure

    with scores.open(newline="") as file:
        rows = list(csv.DictReader(file))
    steps = [int(row["step"]) for row in rows]
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
    for axis, (column, title) in zip(axes.flat, SCORES.items(), strict=True):
        axis.plot(steps, [float(row[column]) for row in rows], ".-")
        axis.set_title(title, fontsize=10)
    for axis in axes[1]:
        axis.set_xlabel("step")
    figure.savefig(picture, dpi=80)


def film(samples: Path) -> bytes | None:
    """A GIF of the pictures of fixed latents in RUN/samples, some of them, first and last among
    them; None when there are none."""
    paths = sorted(samples.glob("step-*.png"))
    if not paths:
        return None
    picked = sorted({int(i) for i in np.linspace(0, len(paths) - 1, FRAMES).round()})
    frames = []
    for i in picked:
        with Image.open(paths[i]) as opened:
            high = round(opened.height * FRAME_WIDTH / opened.width)
            small = opened.convert("RGB").resize((FRAME_WIDTH, high), Image.Resampling.BOX)
        framed = Image.new("RGB", (FRAME_WIDTH, high + 18), "white")
        framed.paste(small, (0, 18))
        step = paths[i].stem.removeprefix("step-").lstrip("0") or "0"
        ImageDraw.Draw(framed).text((4, 2), f"step {step}", fill="black", font_size=12)
        frames.append(framed.quantize(48, dither=Image.Dither.NONE))
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], loop=0,
                   duration=round(1000 * FRAME_S))
    return buffer.getvalue()
