"""The sequencer along JACK's transport, with a transport that the test moves: no server, no time.

What the audio callback does with a start is tests/engine/test_jack_transport.py's.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

import pytest

from gan808.engine.transport import PreparedHit, TransportReading
from gan808.errors import ConfigError, DeviceError
from tests.sequencer.test_sync import AHEAD_FRAMES, RATE_HZ, Led

BLOCK = 128
STEP = RATE_HZ * 60 // 120 // 4
State = Literal["stopped", "starting", "rolling"]


class FakeTransport:
    """A server's transport and the callback that reads it, a block at a time."""

    def __init__(self) -> None:
        self.alive = True
        self.leads = False
        self.free = True  # whether there is no timebase master yet
        self.state: State = "stopped"
        self.position = 0
        self.frame = 0  # the engine's
        self.tempo_bpm: float | None = None
        self.ticks = 0  # told a quarter; 0: exactly
        self.beat_of_zero = 0.0
        self.tables: list[tuple[int, int, list[PreparedHit]]] = []
        self.fired: list[PreparedHit] = []
        self.lines: list[tuple[float, float, float]] = []
        self.asked: list[str] = []
        self.starts = 0
        self.begun = (0, 0, 0)

    def cycle(self) -> None:
        if self.state == "rolling":
            self.position += BLOCK
        self.frame += BLOCK

    def roll(self, position: int | None = None) -> None:
        self.position = self.position if position is None else position
        self.state, self.starts = "rolling", self.starts + 1
        table = self.tables[-1] if self.tables and self.tables[-1][0] == self.position else None
        self.fired = [] if table is None else table[2]
        until = 0 if table is None else self.frame + table[1]
        self.begun = (self.frame, self.position, until)

    def reading(self) -> TransportReading:
        step, tick_steps = 0.0, 0.0
        if self.tempo_bpm is not None:
            beats = self.beat_of_zero + self.position * self.tempo_bpm / 60 / RATE_HZ
            if self.ticks:
                beats = int(beats * self.ticks) / self.ticks
                tick_steps = 4 / self.ticks
            step = 4 * beats
        return TransportReading(self.frame, self.position, self.state, self.starts, *self.begun,
                                self.tempo_bpm, step, tick_steps)

    def prepare(self, position: int, frames: int, hits: Sequence[PreparedHit]) -> None:
        self.tables.append((position, frames, list(hits)))

    def lead_along(self, frame: float, step: float, tempo_bpm: float, rate_hz: int) -> None:
        self.lines.append((frame, step, tempo_bpm))

    def start(self, position: int | None = None) -> None:
        self.asked.append(f"start {position}")
        if self.state != "rolling" or position is not None:
            self.state, self.position = "starting", self.position if position is None else position

    def stop(self) -> None:
        self.asked.append("stop")
        self.state = "stopped"

    def close(self) -> None:
        self.asked.append("close")


class Rolling(Led):
    """A sequencer on a fake server."""

    def __init__(self, mode: str = "jack", **more: float) -> None:
        self.transport = FakeTransport()
        super().__init__(mode, open_jack=self.opened, **more)
        self.sync.begin(0)

    def opened(self, lead: bool) -> FakeTransport:
        if not self.transport.alive:
            raise DeviceError("no server")
        self.transport.leads = lead and self.transport.free
        return self.transport

    def go(self, seconds: float) -> None:
        """Cycles, and a look of the sequencer's thread every seventh."""
        for count in range(round(seconds * RATE_HZ / BLOCK)):
            self.transport.cycle()
            self.clock.now_s = self.transport.frame / RATE_HZ
            if count % 7 == 0:
                self.look(self.clock.now_s)

    def places(self) -> list[tuple[int, float]]:
        """Step of its bar, and position of the transport, of what was sent or fired since the last
        start."""
        frame, position, _ = self.transport.begun
        fired = [(round(hit.velocity * 16) - 1, position + hit.frame)
                 for hit in self.transport.fired]
        sent = [(round(c.value * 16) - 1, c.frame - frame + position)
                for c in self.engine.queued if c.name == "trigger" and c.frame >= frame]
        return sorted({*fired, *sent}, key=lambda hit: hit[1])


def assert_on_their_frames(places: list[tuple[int, float]], step_frames: float, first: int = 0,
                           least: int = 8) -> None:
    """Each step once, in order, within a frame of its place on the transport."""
    assert len(places) >= least
    for number, (step, place) in enumerate(places, first):
        assert step == number % 16
        assert abs(place - number * step_frames) <= 1


@pytest.mark.parametrize("bpm", [60.0, 93.7, 120.0, 201.3])
def test_from_its_start_on_every_step_lies_on_the_transport(bpm: float) -> None:
    led = Rolling(tempo_bpm=bpm)
    led.go(0.3)
    assert led.engine.queued == [], "it stands"
    led.transport.roll()
    assert led.transport.fired[0].frame == 0, "the very first step is the callback's to play"
    led.go(4.0)
    assert_on_their_frames(led.places(), RATE_HZ * 60 / bpm / 4)
    assert led.sync.clock == "jack"


@pytest.mark.parametrize("ticks", [0, 960, 1920])
def test_places_told_in_cut_off_ticks_are_still_exact(ticks: int) -> None:
    led = Rolling(tempo_bpm=120.0)
    led.transport.tempo_bpm, led.transport.ticks = 97.3, ticks
    led.go(0.1)
    assert led.sequencer.tempo_bpm == 97.3
    led.transport.roll(RATE_HZ)
    led.go(4.0)
    step_frames = RATE_HZ * 60 / 97.3 / 4
    first = -(-RATE_HZ // step_frames)
    assert_on_their_frames(led.places(), step_frames, int(first))


def test_the_master_s_tempo_and_place_are_followed_where_it_changes() -> None:
    led = Rolling()
    led.transport.tempo_bpm = 120.0
    led.go(0.1)
    led.transport.roll()
    led.go(2.0)
    # The same beat, from here on at another tempo.
    led.transport.beat_of_zero = led.transport.position * (120 - 90) / 60 / RATE_HZ
    led.transport.tempo_bpm = 90.0
    changed = led.transport.position
    led.go(2.0)
    assert led.sequencer.tempo_bpm == 90.0
    steps = [step for step, _ in led.places()]
    assert steps == [n % 16 for n in range(len(steps))], "no step lost, none twice"
    for number, (_, place) in enumerate(led.places()):
        if place > changed + AHEAD_FRAMES:
            told = 4 * (led.transport.beat_of_zero + place * 90 / 60 / RATE_HZ)
            assert told == pytest.approx(number, abs=2 * 4 * 90 / 60 / RATE_HZ)
    with pytest.raises(ConfigError, match="timebase master"):
        led.sync.set_tempo(100.0)


def test_a_relocation_while_it_rolls_goes_on_there_on_its_very_frame() -> None:
    led = Rolling()
    led.go(0.1)
    led.transport.roll()
    led.go(1.0)
    led.transport.state, led.transport.position = "starting", 21 * STEP
    led.go(0.1)
    assert not led.sequencer.playing
    assert all(c.frame <= led.transport.frame for c in led.engine.queued)
    led.transport.roll()
    led.go(2.0)
    assert_on_their_frames(led.places(), STEP, 21)
    assert led.transport.fired[0].frame == 0


def test_a_stop_takes_back_what_was_scheduled_and_the_next_start_goes_on_there() -> None:
    led = Rolling()
    led.go(0.1)
    led.transport.roll()
    led.go(1.0)
    led.transport.state = "stopped"
    stopped = led.transport.frame
    led.go(0.5)
    assert not led.sequencer.playing
    assert max(c.frame for c in led.engine.queued) <= stopped + BLOCK
    led.transport.roll()
    led.go(1.0)
    assert led.places()[0][0] == -(-led.transport.begun[1] // STEP)


def test_a_start_nobody_could_prepare_is_late_once_and_then_exact() -> None:
    led = Rolling()
    led.go(0.1)
    led.transport.tables.clear()
    led.transport.roll()
    led.go(2.0)
    (step, place), *others = led.places()
    assert (step, led.transport.fired) == (0, [])
    assert 0 < place < 0.03 * RATE_HZ
    assert_on_their_frames(others, STEP, 1)


def test_joining_one_that_rolls_begins_in_its_bar() -> None:
    led = Rolling("internal")
    led.transport.roll(40 * STEP - 10)
    led.sync.set_mode("jack")
    led.go(1.0)
    places = led.places()
    assert_on_their_frames([hit for hit in places if hit[1] > 40 * STEP + 2000], STEP, 41, 4)


def test_play_and_stop_by_hand_leave_the_transport_to_the_others() -> None:
    led = Rolling()
    led.go(0.1)
    with pytest.raises(ConfigError, match="jack-lead"):
        led.sync.play(0)
    led.transport.roll()
    led.go(1.0)
    led.sync.stop(led.transport.frame)
    led.go(0.5)
    assert not led.sequencer.playing
    led.sync.play(led.transport.frame + 100)
    led.go(1.0)
    assert led.sequencer.playing
    assert led.transport.asked == []
    rejoined = [hit for hit in led.places() if hit[1] > 1.5 * RATE_HZ]
    assert_on_their_frames(rejoined, STEP, rejoined[0][0], 6)


def test_without_a_master_the_tempo_is_our_own_and_the_beat_goes_on_through_a_change() -> None:
    led = Rolling(tempo_bpm=120.0)
    led.go(0.1)
    led.transport.roll()
    led.go(1.0)
    led.sync.set_tempo(150.0)
    led.go(2.0)
    assert led.sequencer.tempo_bpm == 150.0
    steps, places = zip(*led.places(), strict=True)
    assert list(steps) == [n % 16 for n in range(len(steps))]
    gaps = [b - a for a, b in itertools.pairwise(places)]
    assert set(gaps[:8]) == {STEP}
    assert set(gaps[-8:]) == {RATE_HZ * 60 // 150 // 4}
    led.transport.state, led.transport.position = "stopped", 0
    led.go(0.1)
    led.transport.roll()
    led.go(1.0)
    assert_on_their_frames(led.places(), RATE_HZ * 60 / 150 / 4)


def test_leading_starts_the_transport_and_tells_its_tempo() -> None:
    led = Rolling("jack-lead", tempo_bpm=100.0)
    led.go(0.1)
    assert (led.transport.asked, led.transport.state) == (["start None"], "starting")
    assert led.sync.clock == "jack lead"
    led.transport.roll()
    led.go(1.0)
    led.sync.set_tempo(80.0)
    frame, step, tempo_bpm = led.transport.lines[-1]
    assert tempo_bpm == 80.0
    assert step == pytest.approx(frame * 100 * 4 / 60 / RATE_HZ)
    led.go(1.0)
    led.sync.play(led.transport.frame)
    led.go(0.1)
    assert led.transport.asked[1:] == ["start 0"], "from the first step, wherever it was"
    led.transport.roll()
    led.go(1.0)
    assert_on_their_frames(led.places(), RATE_HZ * 60 / 80 / 4, least=4)
    end = led.transport.frame + RATE_HZ // 2
    led.sync.stop(end)
    led.go(0.45)
    assert led.transport.state == "rolling"
    led.go(0.1)
    assert led.transport.asked[2:] == ["stop"]
    assert max(c.frame for c in led.engine.queued) < end


def test_where_another_leads_it_is_followed_and_that_is_said() -> None:
    led = Rolling("internal")
    led.transport.free = False
    led.sync.set_mode("jack-lead")
    assert led.said == ["another program is JACK's timebase master: its tempo is followed"]
    assert led.sync.clock == "jack"


def test_a_server_that_goes_stops_it_and_one_that_comes_is_followed() -> None:
    led = Rolling()
    led.go(0.1)
    led.transport.roll()
    led.go(1.0)
    led.transport.alive = False
    led.go(0.1)
    assert (led.sequencer.playing, led.sync.clock) == (False, "jack off")
    frame, led.transport = led.transport.frame, FakeTransport()
    led.transport.frame = frame
    led.go(0.2)
    assert (led.sequencer.playing, led.sync.clock) == (False, "jack")
    led.transport.roll()
    led.go(1.0)
    assert_on_their_frames(led.places(), STEP)


def test_leaving_lets_the_sequencer_play_on() -> None:
    led = Rolling()
    led.go(0.1)
    led.transport.roll()
    led.go(1.0)
    led.sync.set_mode("internal")
    assert led.transport.asked == ["close"]
    led.go(1.0)
    assert led.sequencer.playing
    assert_on_their_frames(led.places(), STEP)


def test_the_offset_moves_steps() -> None:
    led = Rolling(offset_s=0.01)
    led.go(0.1)
    led.transport.roll()
    led.go(1.0)
    places = [(step, place - 0.01 * RATE_HZ) for step, place in led.places()]
    assert_on_their_frames(places, STEP)


def test_without_jack_it_is_refused_in_a_line_and_nothing_changes() -> None:
    led = Led("internal")
    with pytest.raises(ConfigError, match="sync jack needs the sound on JACK"):
        led.sync.set_mode("jack")
    assert led.sync.mode == "internal"
