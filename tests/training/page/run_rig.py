"""A run's folder made by hand, and the page's server on a thread of the test's own."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from training.page.server import PageServer
from training.sample_grid import draw_grid

CLASSES, PER_CLASS, RATE_HZ, SOUND_FRAMES = ("kick", "open_hat"), 4, 16000, 1600


def write_losses(run: Path, steps: range, value: float = 0.5) -> None:
    """Three lines a step, a step a half second."""
    run.mkdir(exist_ok=True)
    path = run / "losses.csv"
    lines = [] if path.exists() else ["step,elapsed_s,name,value"]
    for step in steps:
        lines += [f"{step},{step / 2},{name},{value}"
                  for name in ("critic", "generator", "norm_critic")]
    with path.open("a", newline="") as file:
        file.write("".join(f"{line}\r\n" for line in lines))


def write_samples(run: Path, step: int) -> np.ndarray:
    """step-N.png and step-N.wav as a run writes them; the sounds, int16 (n, SOUND_FRAMES)."""
    random = np.random.default_rng(step)
    (run / "samples").mkdir(parents=True, exist_ok=True)
    n = len(CLASSES) * PER_CLASS
    sounds = random.integers(-9000, 9000, (n, SOUND_FRAMES)).astype("<i2")
    with wave.open(str(run / "samples" / f"step-{step:08d}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(sounds.tobytes())
    images = random.uniform(-1, 1, (n, 24, 16)).astype(np.float32)
    picture = draw_grid(images, CLASSES, PER_CLASS)
    (run / "samples" / f"step-{step:08d}.png").write_bytes(picture)
    return sounds


def write_run(run: Path) -> Path:
    """A run of 40 steps with a score, an event and two samples."""
    write_losses(run, range(1, 41))
    (run / "scores.csv").write_text(
        "step,elapsed_s,score,frechet_distance,class_accuracy,inception_score,spread\r\n"
        "20,10.0,inf,inf,0,1,0\r\n40,20.0,9.5,4.75,0.5,1.7,2.1\r\n")
    (run / "events.csv").write_text(
        "time,step,event,detail\r\n"
        "2026-11-28T09:00:00+00:00,0,begun,\"TensorFlow on the CPU\"\r\n")
    write_samples(run, 20)
    write_samples(run, 40)
    return run


class ServedRun:
    """The page's server of a run, from enter to exit."""

    def __init__(self, run: Path, port: int = 0) -> None:
        self._run = run
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> ServedRun:
        self._thread.start()
        self._await(self._start())
        return self

    async def _start(self) -> None:
        self._server = PageServer(self._run, "kit mine")
        await self._server.start(self._socket)

    def _await(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def hear(self, **message: Any) -> None:
        """What the training command says."""
        line = json.dumps(message).encode()
        self._loop.call_soon_threadsafe(lambda: self._server.hear(line))

    def __exit__(self, *_: object) -> None:
        self._await(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


def get(port: int, target: str, method: str = "GET", **headers: str) -> tuple[int, bytes, Any]:
    """Status, body and headers of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, target, headers=headers)
    response = connection.getresponse()
    answer = response.status, response.read(), response.headers
    connection.close()
    return answer


def events(port: int) -> Iterator[tuple[str, Any]]:
    """Name and content of every event of the stream, until the server hangs up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/events")
    response = connection.getresponse()
    assert response.status == 200, response.status
    while line := response.readline():
        name, data = line, response.readline()
        assert response.readline() == b"\n"
        yield name.decode().removeprefix("event: ").strip(), json.loads(
            data.decode().removeprefix("data: "))
    connection.close()
