"""The player's end of the process that holds the networks.

One RenderProcess is one child. start and render belong to one thread (the filler's); stop may come
from any. Requests and answers are JSON and raw float32 over a pipe, nothing is pickled but the
options of the spawn.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from gan808.config import RendererSettings
from gan808.errors import Gan808Error, KitError, RenderError
from gan808.pool import render_child, wire
from gan808.pool.render_child import ChildOptions
from gan808.sound.kit.kit import Kit
from gan808.sound.latent import Point
from gan808.sound.sound import Nearest, Rendered
from gan808.toml_json import from_json

# A batch takes well under a second, and loading some; past these the child is hung.
ANSWER_TIMEOUT_S, LOADING_TIMEOUT_S = 30.0, 120.0
TERMINATE_S = 0.3
KILL_S = 0.3
LOG_TAIL_BYTES = 4096
# ONNX Runtime's warnings and notes, in the form of its log: no reason for a death.
_CHATTER = re.compile(r"(\x1b\[[\d;]*m)?\d{4}-\d\d-\d\d [\d:.]+ \[[WIV]:onnxruntime")

ChildMain = Callable[[Connection, ChildOptions], None]


class RenderProcess:
    """A child that renders one kit at one sample rate."""

    def __init__(
        self,
        kit: Kit,
        sample_rate_hz: int,
        settings: RendererSettings,
        *,
        child: ChildMain = render_child.main,
    ) -> None:
        self.kit = kit
        self._sample_rate_hz = sample_rate_hz
        self._settings = settings
        self._child = child
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._log_path: Path | None = None
        self._ready = False
        self._started_s = time.monotonic()
        self._stopped = False
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The child's process id; None before start and after stop."""
        process = self._process
        return None if process is None else process.pid

    def alive(self) -> bool:
        """Whether the child runs."""
        process = self._process
        return process is not None and process.is_alive()

    def start(self) -> None:
        """Spawn the child; returns at once, long before it is ready. Does nothing once stopped."""
        context = multiprocessing.get_context("spawn")
        with self._lock:
            if self._stopped or self._process is not None:
                return
            handle, name = tempfile.mkstemp(prefix="gan808-render-", suffix=".log")
            os.close(handle)
            self._log_path = Path(name)
            self._connection, theirs = context.Pipe()
            self._process = context.Process(
                target=self._child, args=(theirs, self._options()), name="gan808-render"
            )
            self._process.daemon = True
            self._started_s = time.monotonic()
            with _without_interrupts():
                self._process.start()
            theirs.close()  # ours would keep the pipe open after the child's death

    def _options(self) -> ChildOptions:
        if self._log_path is None:
            raise RenderError("the render process has no log file; start it first")
        return ChildOptions(
            kit_folder=self.kit.folder,
            sample_rate_hz=self._sample_rate_hz,
            threads=self._settings.threads,
            niceness=self._settings.niceness,
            griffin_lim_rounds=self._settings.griffin_lim_rounds,
            log_path=self._log_path,
        )

    def ready(self, timeout_s: float = 0.0) -> bool:
        """Whether the kit is loaded; waits up to timeout_s for it.

        Raises KitError when the kit is damaged, RenderError when the child has died or hangs.
        """
        if not self._ready:
            self._ready = self._poll(timeout_s) and bool(self._message(0.0).get("ready"))
        if not self._ready and time.monotonic() - self._started_s > LOADING_TIMEOUT_S:
            raise RenderError(
                f"the render process has not been ready after {LOADING_TIMEOUT_S:.0f} s")
        return self._ready

    def render(self, class_names: Sequence[str], seeds: Sequence[int | Point]) -> list[Rendered]:
        """Render one sound for each pair of class and seed, or point; blocks until they are there.
        The child must be ready.

        Raises RenderError when it refuses, answers nonsense, dies, hangs or is stopped meanwhile.
        """
        names = [str(seed) if isinstance(seed, Point) else seed for seed in seeds]
        self._ask({"classes": list(class_names), "seeds": names})
        answer = self._message(ANSWER_TIMEOUT_S)
        try:
            headers, rejections = answer["sounds"], answer["rejections"]
        except KeyError as error:
            raise RenderError("the render process answered something unknown") from error
        sounds = wire.unpack(headers, self._receive(ANSWER_TIMEOUT_S))
        if not len(sounds) == len(rejections) == len(seeds):
            raise RenderError(f"asked for {len(seeds)} sounds, {len(sounds)} came")
        return [Rendered(*pair) for pair in zip(sounds, rejections, strict=True)]

    def begin_search(self, file: Path, class_names: Sequence[str] = ()) -> float | Nearest:
        """Begin to look for the kit's nearest sound to a recording, in all classes where none is
        named; a slice of a quarter of a second. See go_on_searching."""
        return self._search({"file": str(file), "classes": list(class_names)})

    def go_on_searching(self) -> float | Nearest:
        """Another slice: how much is done, 0..1, or what was found.

        Raises RenderError for a recording that cannot be used, and as render does.
        """
        return self._search(None)

    def _search(self, order: dict[str, Any] | None) -> float | Nearest:
        self._ask({"search": order})
        answer = self._message(ANSWER_TIMEOUT_S)
        try:
            if "done" in answer:
                return float(answer["done"])
            headers, distance_db = answer["sounds"], float(answer["distance_db"])
        except (KeyError, TypeError, ValueError) as error:
            raise RenderError("the render process answered something unknown") from error
        (sound,) = wire.unpack(headers, self._receive(ANSWER_TIMEOUT_S))
        return Nearest(sound, distance_db)

    def stop(self) -> None:
        """End the child within TERMINATE_S + KILL_S, whatever it is doing. Safe to call twice."""
        with self._lock:
            self._stopped = True
            process, self._process = self._process, None
            if process is not None:
                process.terminate()  # it has nothing to save
                process.join(TERMINATE_S)
                if process.is_alive():
                    process.kill()
                    process.join(KILL_S)
            if self._log_path is not None:
                with suppress(OSError):
                    self._log_path.unlink()

    def _open_connection(self) -> Connection:
        if self._connection is None:
            raise RenderError("the render process is not running")
        return self._connection

    def _ask(self, request: dict[str, Any]) -> None:
        try:
            self._open_connection().send_bytes(json.dumps(request).encode())
        except (OSError, ValueError) as error:
            raise self._death() from error

    def _poll(self, timeout_s: float) -> bool:
        try:
            return self._open_connection().poll(timeout_s)
        except OSError as error:
            raise self._death() from error

    def _receive(self, timeout_s: float) -> bytes:
        try:
            connection = self._open_connection()
            if not connection.poll(timeout_s):
                raise RenderError(f"the render process has not answered for {timeout_s:.0f} s")
            return connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._death() from error

    def _message(self, timeout_s: float) -> dict[str, Any]:
        message = from_json(self._receive(timeout_s))
        if "error" in message:
            kinds: dict[str, type[Gan808Error]] = {"kit": KitError}
            raise kinds.get(message.get("kind", ""), RenderError)(message["error"])
        return dict(message)

    def _death(self) -> RenderError:
        """Why the pipe broke, in one line: the status and the last thing it printed."""
        process = self._process
        if self._stopped or process is None:
            return RenderError("the render process was stopped")
        process.join(TERMINATE_S)
        status = process.exitcode
        how = "closed its pipe"
        if status is not None:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with {status}"
        last = self._last_words()
        return RenderError(f"the render process {how}" + (f": {last}" if last else ""))

    def _last_words(self) -> str:
        if self._log_path is None:
            return ""
        try:
            text = self._log_path.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines()]
        lines = [line for line in lines if line and not _CHATTER.match(line)]
        return lines[-1][:200] if lines else ""


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """A child spawned inside is born with SIGINT blocked: Ctrl-C during its first moments, before
    it can ignore it, would print a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which unblocks the signal when it has to start first
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
