"""An instrument on a JACK server with its panel: what is heard of it, and what OSC tells."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gan808.control.osc.client import OscClient
from gan808.instrument.slots import first_sounds
from gan808.sound.kit.kit import load_kit
from tests.control.rig import until
from tests.jack_server import RATE_HZ, JackMeter
from tests.running import Running

ANSWER_S = 20.0
Result = TypeVar("Result")


class Stage:
    """Started and killed as often as a test likes, always at the same address."""

    def __init__(self, meter: JackMeter, kit: Path, home: Path) -> None:
        self.meter = meter
        self.kit = load_kit(kit)
        self.port = _free_port()
        self._folder = kit
        self._home = home
        self.running: Running | None = None

    def start(self) -> None:
        """Start it afresh and wait until its panel is served."""
        self.running = Running(
            self._home, "--kit", str(self._folder), "--output", "JACK", "--midi", "virtual",
            "--osc", f"127.0.0.1:{self.port}", "--pattern", "off", "--evolve", "0", "--fresh")
        assert "JACK" in self.running.introduction()["sound"]
        until(self.served, 30)
        self.tell("/seq/stop")
        self.meter.connect_audio("gan808")
        self.meter.connect_midi("GAN-808")

    @property
    def told_panel(self) -> str:
        """Where `gan808 panel` finds it."""
        return (self._home / "state" / "gan808" / "panel").read_text(encoding="utf-8")

    def kill(self) -> None:
        """End it and its children at once, as a crash would."""
        if self.running is not None:
            self.running.__exit__()

    def stop(self) -> None:
        """End it as a user does."""
        if self.running is not None:
            self.running.interrupt()
            self.kill()

    def tell(self, address: str, *values: Any) -> None:
        """Set something, and wait until it is set."""
        with OscClient("127.0.0.1", self.port) as client:
            client.send(f"/gan808{address}", *values)
            client.send("/gan808/sync", 1)
            deadline_s = time.monotonic() + ANSWER_S
            while (told := client.receive(deadline_s)) is not None:
                assert told.address != "/gan808/fail", told.params
                if told.address == "/gan808/synced":
                    return
        raise AssertionError(f"{address} was not done")

    def ask(self, address: str, *values: Any, answer: str = "") -> tuple[Any, ...]:
        """What OSC answers."""
        with OscClient("127.0.0.1", self.port) as client:
            client.send(f"/gan808{address}", *values)
            deadline_s = time.monotonic() + ANSWER_S
            while (told := client.receive(deadline_s)) is not None:
                if told.address == f"/gan808{answer or address}":
                    return tuple(told.params)
        raise AssertionError(f"no answer to {address}")

    def snapshot(self) -> dict[str, Any]:
        """Everything, as the panel gets it."""
        told: dict[str, Any] = json.loads(self.ask("/snapshot")[0])
        return told

    def hear(self, seconds: float, do: Callable[[], object]) -> NDArray[np.float32]:
        """Mono audio from just before do() on, which has to be done within these seconds."""
        audio = self.meter.capture(seconds, do).mean(axis=1)
        assert self.meter.skipped_frames == 0
        return audio

    def likeness(self, audio: NDArray[np.float32]) -> dict[str, float]:
        """How much of each slot's first sound is heard: the peak of the normalised
        cross-correlation, 1 where it is heard alone."""
        sounds = first_sounds(self.kit.slots, self.kit.factory_sounds(RATE_HZ))
        return {layout.code: alike(audio, sound.audio)
                for layout, sound in zip(self.kit.slots, sounds, strict=True) if sound is not None}

    def written(self, pattern: str) -> list[Path]:
        """What it has written below the user's folder of data."""
        return list((self._home / "data" / "gan808").glob(pattern))

    def served(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(5)
            try:
                probe.connect(("127.0.0.1", self.port))
                probe.sendall(b"GET /panel/ HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return b"200" in probe.recv(64)
            except OSError:
                return False


def apart(work: Coroutine[Any, Any, Result]) -> Result:
    """Run it in an event loop on a thread of its own: Playwright has one on this."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def alike(audio: NDArray[np.float32], sound: NDArray[np.float32]) -> float:
    """The peak of their cross-correlation, by the energy of the sound and of what is heard."""
    size = 1 << (len(audio) + len(sound)).bit_length()
    product = np.fft.rfft(audio, size) * np.conj(np.fft.rfft(sound, size))
    peak = np.fft.irfft(product, size).max()
    return float(peak / (np.linalg.norm(audio) * np.linalg.norm(sound) + 1e-12))


def onsets(audio: NDArray[np.float32], quiet_frames: int = RATE_HZ // 50) -> list[int]:
    """Frames where a sound begins after at least so long a silence."""
    loud = np.flatnonzero(np.abs(audio) > 1e-3)
    return [int(at) for at, gap in zip(loud, np.diff(loud, prepend=-quiet_frames - 1), strict=True)
            if gap > quiet_frames]


def _free_port() -> int:
    """A number that is free for UDP and TCP alike."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return int(tcp.getsockname()[1])
