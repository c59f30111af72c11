"""What runs inside the render process: the networks, and nothing that plays.

The main thread answers requests; a second one ends the process when its parent is gone. Nothing
heavy is imported at the top: threads must be limited before NumPy is loaded.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gan808.errors import Gan808Error, KitError
from gan808.toml_json import from_json

if TYPE_CHECKING:
    from gan808.sound.latent import Point
    from gan808.sound.renderer import Renderer
    from gan808.sound.sound import Nearest, Sound

    Search = Generator[float, None, Nearest]

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
# Of a search for the nearest sound so much is done between two other requests.
SLICE_S = 0.25
# What a search costs: so many seeds, shared by the classes, and so many steps of refinement. On an
# idle core of 2026 some eight seconds; `gan808 match` takes its time and comes a little nearer.
SEEDS, LEAST_SEEDS, STEPS = 512, 32, 120


@dataclass(frozen=True)
class ChildOptions:
    """How to render. log_path takes everything the process prints."""

    kit_folder: Path
    sample_rate_hz: int
    threads: int
    niceness: int
    griffin_lim_rounds: int
    log_path: Path


class RendererLike(Protocol):
    """What the process needs of a Renderer; tests bring one without networks."""

    def render(self, class_names: Sequence[str], seeds: Sequence[int | Point]) -> list[Sound]: ...

    def rejection(self, sound: Sound) -> str | None: ...


    def search(self, file: Path, class_names: Sequence[str]) -> Search: ...


def main(connection: Connection, options: ChildOptions) -> None:
    """The process's entry: the kit's own renderer."""
    serve(connection, options, _load)


def serve(
    connection: Connection,
    options: ChildOptions,
    load: Callable[[ChildOptions], RendererLike],
) -> None:
    """Load the kit, say so, answer requests until the other end closes.

    A request is JSON {"classes": [...], "seeds": [...]}; a seed is a number or a point's name, as
    text. The answer is JSON {"sounds": [...],
    "rejections": [...]} followed by one message of audio (wire.pack), or {"error", "kind"}.

    {"search": {"file", "classes"}} begins a search for the kit's nearest sound to a recording, in
    place of one that was under way, and does a slice of it; {"search": null} does the next. The
    answer is {"done": 0..1} or, at its end, that of one sound with its "distance_db".
    """
    stand_back(options)
    try:
        renderer = load(options)
    except Gan808Error as error:
        _say(connection, _as_answer(error))
        return
    _say(connection, {"ready": True})
    with suppress(EOFError, OSError):  # the player has closed its end: nothing left to do
        searching: Search | None = None
        while True:
            request = from_json(connection.recv_bytes())
            if "search" in request:
                searching = _searched(connection, renderer, request["search"], searching)
            else:
                _answer(connection, renderer, request)
    # It is gone: a stop would have ended this process. The thread that waits for that may be late.
    with suppress(OSError):
        options.log_path.unlink()


def stand_back(options: ChildOptions) -> None:
    """Give way to what plays: lower this process's priority, ignore Ctrl-C, send its output to the
    log, and end it when its parent is gone."""
    for name in ("SIGINT", "SIGHUP"):  # Ctrl-C and a closed terminal are the player's to handle
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    log = os.open(options.log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for standard in (1, 2):
        os.dup2(log, standard)
    os.close(log)
    watch = threading.Thread(target=_die_with_parent, args=(options.log_path,), daemon=True)
    watch.start()
    with suppress(AttributeError, OSError):  # no such call on Windows; refused in some sandboxes
        os.nice(options.niceness)
    limit_threads(options.threads)


def limit_threads(threads: int) -> None:
    """Bound the threads of NumPy's BLAS, which may not be loaded yet."""
    os.environ.update({name: str(threads) for name in THREAD_VARIABLES})


def _die_with_parent(log_path: Path) -> None:
    """Wait until the parent closes a pipe that only it holds, which happens even on SIGKILL; then
    end this process."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    with suppress(OSError):
        log_path.unlink()
    os._exit(1)


def _load(options: ChildOptions) -> RendererLike:
    from gan808.sound.kit.kit import load_kit

    kit = load_kit(options.kit_folder)
    from gan808.sound.renderer import Renderer

    renderer = Renderer(
        kit,
        options.sample_rate_hz,
        threads=options.threads,
        griffin_lim_rounds=options.griffin_lim_rounds,
    )
    renderer.render([kit.classes[0]], [0])  # compiles what is not yet, so "ready" means it
    return _SearchingRenderer(renderer)


class _SearchingRenderer:
    """The kit's renderer, and the search through it."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.render, self.rejection = renderer.render, renderer.rejection

    def search(self, file: Path, class_names: Sequence[str]) -> Search:
        """The kit's nearest sound to a recording, among all classes where none is named, in pieces
        of a tenth of a second: yields how much is done, 0..1. Raises RenderError."""
        from gan808.sound.match import Matcher, read_target
        from gan808.sound.sound import Nearest

        kit = self._renderer.kit
        matcher = Matcher(self._renderer, read_target(file, kit.geometry))
        names = class_names or kit.classes
        found = yield from matcher.search(
            names, seeds=max(SEEDS // len(names), LEAST_SEEDS), steps=STEPS)
        if found.refined_db < found.nearest_db:
            return Nearest(found.refined, found.refined_db)
        return Nearest(found.nearest, found.nearest_db)


def _answer(connection: Connection, renderer: RendererLike, request: dict[str, Any]) -> None:
    from gan808.pool import wire
    from gan808.sound.latent import parse_point

    try:
        seeds = [parse_point(seed) if isinstance(seed, str) else seed for seed in request["seeds"]]
        sounds = renderer.render(request["classes"], seeds)
    except Gan808Error as error:
        _say(connection, _as_answer(error))
        return
    headers, audio = wire.pack(sounds)
    rejections = [renderer.rejection(sound) for sound in sounds]
    _say(connection, {"sounds": headers, "rejections": rejections})
    connection.send_bytes(audio)


def _searched(connection: Connection, renderer: RendererLike, order: dict[str, Any] | None,
              searching: Search | None) -> Search | None:
    """Do a slice of a search and answer; what is left of it."""
    from gan808.errors import RenderError
    from gan808.pool import wire

    until_s = time.monotonic() + SLICE_S
    try:
        if order is not None:
            searching = renderer.search(Path(order["file"]), order["classes"])
        if searching is None:
            raise RenderError("no search is under way")
        while True:
            done = next(searching)
            if time.monotonic() >= until_s:
                _say(connection, {"done": done})
                return searching
    except StopIteration as end:
        headers, audio = wire.pack([end.value.sound])
        _say(connection, {"sounds": headers, "distance_db": end.value.distance_db})
        connection.send_bytes(audio)
    except Gan808Error as error:
        _say(connection, _as_answer(error))
    return None


def _as_answer(error: Gan808Error) -> dict[str, str]:
    kind = "kit" if isinstance(error, KitError) else "render"
    return {"error": str(error), "kind": kind}


def _say(connection: Connection, message: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps(message).encode())
