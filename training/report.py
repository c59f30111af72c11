"""What a kit's training looked and sounded like: pictures, sounds and scores in KIT/report."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile

from gan808.errors import TrainingError
from gan808.sound.renderer import Renderer
from gan808.sound.sound import Sound
from training.evaluate import Evaluation
from training.samples import save_grid

PER_CLASS = 6
GAP_S = 0.05
SMOOTH = 50  # log lines in a running mean


def _first_of_each(sounds: list[Sound], classes: tuple[str, ...]) -> list[Sound]:
    return [s for name in classes for s in [s for s in sounds if s.class_asked == name][:PER_CLASS]]


def draw_losses(losses: Path, picture: Path) -> None:
    """A picture of RUN/losses.csv, each loss as a running mean."""
    from matplotlib.figure import Figure

    lines: dict[str, list[tuple[int, float]]] = defaultdict(list)
    with losses.open(newline="") as file:
        for row in csv.DictReader(file):
            lines[row["name"]].append((int(row["step"]), float(row["value"])))
    figure = Figure(figsize=(8, 4))
    axis = figure.subplots()
    for name, points in lines.items():
        steps, values = (np.asarray(column, dtype=float) for column in zip(*points, strict=True))
        n = min(SMOOTH, len(values))
        axis.plot(steps[n - 1 :], np.convolve(values, np.ones(n) / n, "valid"), label=name)
    axis.set_xlabel("step")
    axis.set_ylabel("loss")
    axis.legend()
    figure.tight_layout()
    figure.savefig(picture, dpi=80)


def _joined(sounds: list[Sound]) -> np.ndarray:
    """Sounds one after another, a gap between: float32 (n,)."""
    gap = np.zeros(int(GAP_S * sounds[0].sample_rate_hz), dtype=np.float32)
    return np.concatenate([part for sound in sounds for part in (sound.audio, gap)])


def _markdown(name: str, evaluation: Evaluation) -> str:
    generated, real = evaluation.generated, evaluation.real
    rows = [
        ("Frechet distance to training sounds", generated.frechet_distance, real.frechet_distance),
        ("recognised as the class asked", generated.class_accuracy, real.class_accuracy),
        ("Inception score", generated.inception_score, real.inception_score),
        ("mean distance inside a class", generated.spread, real.spread),
        ("median distance to the nearest training sound", generated.nearest, real.nearest),
    ]
    table = [f"| {row} | {a:.2f} | {b:.2f} |" for row, a, b in rows]
    rejected = ", ".join(f"{reason} {n}" for reason, n in evaluation.rejected.items()) or "none"
    what = (
        f"{evaluation.n_generated} generated sounds beside {evaluation.n_real} held-out recordings "
        "taken through the same inversion, by a judge fitted to the training recordings."
    )
    return "\n".join([
        f"# {name}", "",
        what, "",
        "| | generated | real |", "|---|---|---|", *table, "",
        f"Accepted by the renderer: {evaluation.accepted:.0%}; rejected: {rejected}.", "",
    ])


def write_report(
    folder: Path, renderer: Renderer, sounds: list[Sound], evaluation: Evaluation | None,
    losses: Path | None = None,
) -> None:
    """Write spectrograms.png, sounds.ogg, losses.png, scores.json and README.md into FOLDER.

    sounds: PER_CLASS or more of each class. Raises TrainingError when it cannot be written.
    """
    classes = renderer.kit.classes
    shown = _first_of_each(sounds, classes)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        images = renderer.images_of([sound.audio for sound in shown])[..., 0]
        save_grid(folder / "spectrograms.png", images, classes, len(shown) // len(classes))
        soundfile.write(folder / "sounds.ogg", _joined(shown), shown[0].sample_rate_hz)
        if losses is not None and losses.is_file():
            draw_losses(losses, folder / "losses.png")
        if evaluation is not None:
            text = json.dumps(evaluation.to_dict(), indent=1)
            (folder / "scores.json").write_text(text + "\n")
            (folder / "README.md").write_text(_markdown(renderer.kit.name, evaluation))
    except (OSError, soundfile.LibsndfileError) as error:
        raise TrainingError(f"{folder}: cannot write the report ({error})") from error
