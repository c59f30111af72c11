"""What a kit's training looked and sounded like: pictures, sounds and scores in KIT/report.

scores.json holds every figure, README.md the tables, report.html all of it in one file; and the
pictures and sounds by themselves.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from gan808 import atomic, ownership
from gan808.errors import TrainingError
from gan808.sound.spectral.geometry import Geometry

from . import pictures
from .evaluate import Evaluation, Exhibits
from .report_html import ogg, write_html
from .tables import notes, tables

GAP_S = 0.05
MIME = {".png": "image/png", ".gif": "image/gif"}


def _joined(sounds: Sequence[np.ndarray], rate_hz: int) -> np.ndarray:
    """Sounds one after another, a gap between: float32 (n,)."""
    gap = np.zeros(int(GAP_S * rate_hz), dtype=np.float32)
    return np.concatenate([part for sound in sounds for part in (sound, gap)] or [gap])


def _plain(value: Any) -> Any:
    """As JSON has it: no NaN, numbers rounded to what they are sure of."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 5)
    return value


def scores(evaluation: Evaluation) -> dict[str, Any]:
    """Every figure as plain values, the targets' verdicts among them; what has no value is None."""
    content = asdict(evaluation)
    for target, entry in zip(evaluation.targets, content["targets"], strict=True):
        entry["verdict"] = target.verdict
    plain: dict[str, Any] = _plain(content)
    return plain


def _draw(folder: Path, exhibits: Exhibits, geometry: Geometry, evaluation: Evaluation | None,
          run: Path | None) -> list[tuple[str, Path]]:
    """Write the pictures; titles and paths of those that report.html shows below the sounds."""
    heard = {name: [s.audio for s in sounds] for name, sounds in exhibits.generated.items()}
    shown = max(map(len, [*heard.values(), *exhibits.real.values()]), default=1)
    page = pictures.page(exhibits.real, heard, geometry, shown)
    atomic.write_bytes(folder / "spectrograms.png", pictures.encoded(page, "PNG"))
    below: list[tuple[str, Path]] = []
    if evaluation is not None:
        path = folder / "confusion.png"
        both = {"generated, accepted": evaluation.confusion,
                "held-out recordings": evaluation.confusion_real}
        pictures.draw_confusion(path, both, tuple(evaluation.per_class))
        below.append(("Confusion", path))
    for name, title, draw in (
        ("scores", "Images against held-out recordings as it learnt", pictures.draw_scores),
        ("losses", "Losses", pictures.draw_losses),
    ):
        if run is not None and (run / f"{name}.csv").is_file():
            draw(run / f"{name}.csv", folder / f"{name}.png")
        if (folder / f"{name}.png").is_file():
            below.append((title, folder / f"{name}.png"))
    if run is not None and (film := pictures.film(run / "samples")) is not None:
        atomic.write_bytes(folder / "training.gif", film)
    if (folder / "training.gif").is_file():
        below.append(("How the same latents changed", folder / "training.gif"))
    return below


def write_report(
    folder: Path, name: str, geometry: Geometry, exhibits: Exhibits,
    evaluation: Evaluation | None, run: Path | None = None,
) -> None:
    """Write the report of a kit into FOLDER. run: the training's folder, for its losses and the
    film of its samples; without one those of an earlier report stay.

    Raises TrainingError when it cannot be written.
    """
    said = notes(evaluation) if evaluation else ("Too little was held out to score this kit.",)
    shown = tables(evaluation) if evaluation else ()
    heard = {key: [s.audio for s in sounds] for key, sounds in exhibits.generated.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ownership.mark(folder, ownership.REPORT)
        below = _draw(folder, exhibits, geometry, evaluation, run)
        everything = [audio for sounds in heard.values() for audio in sounds]
        rate_hz = geometry.sample_rate_hz
        (folder / "sounds.ogg").write_bytes(ogg(_joined(everything, rate_hz), rate_hz))
        if evaluation is not None:
            text = json.dumps(scores(evaluation), indent=1)
            atomic.write_text(folder / "scores.json", text + "\n")
        lines = [f"# {name}", "", *(line for note in said for line in (note, "")),
                 *(line for table in shown for line in table.markdown()),
                 "![Recordings on the left, generated sounds on the right](spectrograms.png)", ""]
        atomic.write_text(folder / "README.md", "\n".join(lines))
        images = [(title, path.read_bytes(), MIME[path.suffix]) for title, path in below]
        write_html(folder / "report.html", name, said, shown, exhibits.real, heard, geometry,
                   images)
    except (OSError, soundfile.LibsndfileError) as error:
        raise TrainingError(f"{folder}: cannot write the report ({error})") from error
