"""Render processes without TensorFlow: the real protocol, answered at once, and ways to fail.

A class name tells the fake what to do: "crash" ends the process with a message, "hang" never
answers, "muddle" is always heard as kick, "bad" is always rejected, "refused" raises.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from gan808.errors import KitError, RenderError
from gan808.pool.render_child import ChildOptions, RendererLike, serve
from gan808.sound.latent import Point
from gan808.sound.sound import Nearest, Sound
from tests.pool.sounds import make_sound


class FakeRenderer:
    def __init__(self, options: ChildOptions) -> None:
        self._rate = options.sample_rate_hz
        self._kit = options.kit_folder.name

    def render(self, class_names: Sequence[str], seeds: Sequence[int | Point]) -> list[Sound]:
        if "crash" in class_names:
            sys.stderr.write("a warning nobody needs\nout of memory, said the fake\n"
                             "\x1b[0;93m2026-11-28 03:04:05.678 [W:onnxruntime:Default, a.cc:91] "
                             "no graphics card\x1b[m\n")
            sys.stderr.flush()
            os._exit(3)
        if "hang" in class_names:
            time.sleep(60)
        if "refused" in class_names:
            raise RenderError("kit fake has no class 'refused'")
        return [
            make_sound(
                name,
                seed.seed if isinstance(seed, Point) else seed,
                trail=seed.trail if isinstance(seed, Point) else "",
                kit=self._kit,
                sample_rate_hz=self._rate,
                class_heard="kick" if name == "muddle" else None,
            )
            for name, seed in zip(class_names, seeds, strict=True)
        ]

    def search(self, file: Path, class_names: Sequence[str]) -> Generator[float, None, Nearest]:
        """"long" takes many slices, "silent" cannot be used, "crash" is the end."""
        if file.stem == "silent":
            raise RenderError(f"{file}: is silent")
        for step in range(40 if file.stem == "long" else 2):
            time.sleep(0.01 if file.stem == "long" else 0.0)
            yield step / 40
        name = next(iter(class_names), "kick")
        return Nearest(self.render([file.stem if file.stem == "crash" else name], [17])[0], 1.5)

    def rejection(self, sound: Sound) -> str | None:
        return "unsure" if sound.class_asked == "bad" else None


def main(connection: Connection, options: ChildOptions) -> None:
    serve(connection, options, FakeRenderer)


def slow_to_load(connection: Connection, options: ChildOptions) -> None:
    """Stands for TensorFlow's import: long, and deaf to everything."""

    def load(options: ChildOptions) -> RendererLike:
        time.sleep(60)
        return FakeRenderer(options)

    serve(connection, options, load)


def broken_kit(connection: Connection, options: ChildOptions) -> None:
    def load(options: ChildOptions) -> RendererLike:
        raise KitError(f"{options.kit_folder}: weights.safetensors is cut short")

    serve(connection, options, load)
