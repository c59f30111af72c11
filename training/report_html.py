"""report.html: what a kit's training looked and sounded like in one file that needs no network.

Pictures and sounds are in it as base64; a click on a sound plays it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
import soundfile

from gan808 import atomic
from gan808.sound.spectral.geometry import Geometry

from . import pictures
from .tables import Table

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:68rem;padding:0 1rem;
color:#222;background:#fff}
h1,h2{line-height:1.2}h2{margin-top:2.2rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .7rem .2rem 0;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
.sounds{display:grid;grid-template-columns:6rem repeat(2,1fr);gap:.4rem .9rem;align-items:center}
.sounds .row{display:flex;gap:.3rem;flex-wrap:wrap}
button{border:2px solid transparent;border-radius:4px;padding:0;background:none;cursor:pointer}
button:hover,button:focus{border-color:#c33}
button img,.wide{display:block;max-width:100%}
"""
SCRIPT = """
document.querySelectorAll('button').forEach(b=>b.addEventListener('click',()=>{
const a=b.querySelector('audio');a.currentTime=0;a.play()}));
"""


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def ogg(audio: np.ndarray, rate_hz: int) -> bytes:
    """Mono audio as Ogg Vorbis, a second at a time: libsndfile lays what it is given at once on the
    stack, which two minutes overflow."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate_hz, 1, "VORBIS", format="OGG") as file:
        for i in range(0, len(audio), rate_hz):
            file.write(audio[i : i + rate_hz])
    return buffer.getvalue()


def _sound(audio: np.ndarray, geometry: Geometry, name: str) -> str:
    picture = _data("image/webp", pictures.encoded(pictures.cell(audio, geometry), "WEBP"))
    sound = _data("audio/ogg", ogg(audio, geometry.sample_rate_hz))
    return (f'<button type="button" title="{escape(name)}"><img alt="{escape(name)}" '
            f'src="{picture}"><audio preload="none" src="{sound}"></audio></button>')


def _sounds(
    real: Mapping[str, Sequence[np.ndarray]], generated: Mapping[str, Sequence[np.ndarray]],
    geometry: Geometry,
) -> str:
    cells = ["<div></div>", "<b>recordings, through the codec</b>", "<b>generated</b>"]
    for name, sounds in generated.items():
        plain = name.replace("_", " ")
        cells.append(f"<div>{escape(plain)}</div>")
        for what, row in (("recording", real.get(name, ())), ("generated", sounds)):
            hits = [_sound(a, geometry, f"{plain}, {what} {i + 1}") for i, a in enumerate(row)]
            cells.append(f'<div class="row">{"".join(hits) or "none was accepted"}</div>')
    return f'<div class="sounds">{"".join(cells)}</div>'


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in table.rows]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<h2>{escape(table.title)}</h2><table><tr>{head}</tr>{body}</table>"


def _picture(title: str, content: bytes, kind: str) -> str:
    return (f"<h2>{escape(title)}</h2>"
            f'<img class="wide" alt="{escape(title)}" src="{_data(kind, content)}">')


def write_html(
    path: Path, title: str, notes: Sequence[str], tables: Sequence[Table],
    real: Mapping[str, Sequence[np.ndarray]], generated: Mapping[str, Sequence[np.ndarray]],
    geometry: Geometry, images: Sequence[tuple[str, bytes, str]],
) -> None:
    """Write the file. images: title, content and MIME type of each. Raises OSError."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        *(f"<p>{escape(note)}</p>" for note in notes),
        *(_table(table) for table in tables[:1]),
        "<h2>Sounds</h2><p>Click one to hear it.</p>", _sounds(real, generated, geometry),
        *(_table(table) for table in tables[1:]),
        *(_picture(*image) for image in images),
        f"<script>{SCRIPT}</script></body></html>\n",
    ]
    atomic.write_text(path, "\n".join(parts))
