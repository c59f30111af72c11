"""Two JACK clients on either side of an instrument: one sends MIDI to it, one listens to its sound.

One client that does both is a circle in JACK's graph, which the server cuts by delaying whoever is
in it by a period.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.jack_server import PERIOD_FRAMES, JackMeter
from tests.timing import WITHIN_S

ON, KICK = 0x99, 36
# A controller that means nothing to the instrument.
NOTHING = [0xB9, 1, 0]
TRIES = 5

# Frames of a capture, and what is sent at them.
Messages = Sequence[tuple[int, list[int]]]


@dataclass
class Heard:
    """What a listener recorded, and where, by the same count, the messages were sent."""

    audio: NDArray[np.float32]
    sent: list[int]
    lost_periods: bool

    @property
    def onsets(self) -> list[int]:
        """The frames at which clicks were heard."""
        found: list[int] = np.flatnonzero(np.abs(self.audio) > 0.1).tolist()
        return found


class JackPair:
    """The two clients, each in a process of its own."""

    def __init__(self, server: str) -> None:
        self.sender, self.listener = JackMeter(server, "sender"), JackMeter(server, "listener")

    def connect(self, arrived: Callable[[], bool]) -> None:
        """Wire both to gan808, and wait until `arrived` says that something has come: JACK makes
        connections some cycles after it was asked to."""
        assert self.sender.connect_midi("gan808") == ["gan808:GAN-808"]
        self.listener.connect_audio("gan808")
        deadline_s = time.monotonic() + WITHIN_S
        while not arrived():
            assert time.monotonic() < deadline_s, "nothing arrives"
            self.sender.message(NOTHING)
            time.sleep(0.02)
        time.sleep(0.05)

    def play(self, messages: Messages, seconds: float,
             meanwhile: Callable[[], None] = lambda: None) -> Heard:
        """Send messages at frames of a capture; what is heard of them."""
        for frame, message in messages:
            self.sender.message(message, frame)
        sending = threading.Thread(target=self.sender.capture, args=(seconds,))
        listened: list[NDArray[np.float32]] = []
        listening = threading.Thread(
            target=lambda: listened.append(self.listener.capture(seconds + 0.2)))
        listening.start()
        time.sleep(0.05)
        sending.start()
        time.sleep(0.05)  # both captures have been asked for
        meanwhile()
        sending.join()
        listening.join()
        start = self.listener.start_frame
        return Heard(listened[0][:, 0], [frame - start for frame in self.sender.sent_frames],
                     bool(self.sender.skipped_frames or self.listener.skipped_frames))

    def play_whole(self, messages: Messages, seconds: float,
                   meanwhile: Callable[[], None] = lambda: None,
                   again: Callable[[], object] = lambda: None) -> Heard:
        """The same, again where a busy machine had the server lose a period: that is not ours.
        again: called before each further try."""
        for _ in range(TRIES):
            heard = self.play(messages, seconds, meanwhile)
            if not heard.lost_periods:
                return heard
            again()
        pytest.skip("the server loses periods: the machine is too busy to count samples")

    def close(self) -> None:
        """End both."""
        self.sender.close()
        self.listener.close()


def spread(count: int, first: int = 9600) -> Messages:
    """Kicks at places spread over the block."""
    places = np.random.default_rng(808).integers(0, PERIOD_FRAMES, count)
    return [(first + 4 * PERIOD_FRAMES * index + int(place), [ON, KICK, 127])
            for index, place in enumerate(places)]
