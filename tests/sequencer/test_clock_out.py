"""The clock sent to others: 24 ticks a beat where the sequencer's beats are. No test waits."""

from __future__ import annotations

import itertools

import pytest

from gan808.sequencer.clock import TempoLine
from gan808.sequencer.clock_out import (
    CLOCK,
    CONTINUE,
    START,
    STOP,
    ClockMessage,
    ClockPlan,
    song_position,
)
from gan808.sequencer.midi_clock import MidiClock
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.sequencer import Sequencer
from gan808.sequencer.sync import Sync
from tests.fakes import FakeEngine

RATE_HZ = 48000
LOOK = 240  # frames between two looks: 5 ms
AHEAD = 480
BEAT = 24000  # frames at 120 BPM
TICK = 1000
PATTERN = Pattern("test", 120.0, rows={"BD": (1.0, 0.0, 0.0, 0.0) * 4})


class Player:
    """A sequencer and the plan of its clock, looked at every 5 ms of frames."""

    def __init__(self, **more: bool) -> None:
        self.engine = FakeEngine(RATE_HZ)
        self.engine.ring_commands = 10**6
        self.sequencer = Sequencer(PATTERN, ["BD"], self.engine.port("sequencer"), RATE_HZ)
        self.plan = ClockPlan()
        self.now = 0
        self.sent: list[ClockMessage] = []
        self._more = more

    def run(self, until: int, *, look: int = LOOK) -> list[ClockMessage]:
        """What is sent up to a frame; the sequencer is 150 ms ahead."""
        before = len(self.sent)
        while self.now < until:
            self.sequencer.advance(self.now + 7200, self.now - 7200)
            self.sent += self.plan.due(
                self.sequencer.transport, self.now, self.now + AHEAD, **self._more)
            self.now += look
        return self.sent[before:]

    def ticks(self) -> list[float]:
        return [message.frame for message in self.sent if message.data == CLOCK]

    def words(self) -> list[bytes]:
        return [message.data for message in self.sent if message.data != CLOCK]


def hits(player: Player) -> list[int]:
    return [command.frame for command in player.engine.commands if command.name == "trigger"]


def test_ticks_are_at_their_frames_and_every_sixth_is_a_step() -> None:
    player = Player()
    player.sequencer.play(1440)
    player.run(20 * BEAT)
    assert player.words() == [START]
    after = [f for f in player.ticks() if f >= 1440]
    assert after[:400] == pytest.approx([1440 + TICK * n for n in range(400)], abs=1e-6)
    assert after[::24][:15] == pytest.approx(hits(player)[:15], abs=1e-6)


def test_it_ticks_before_it_plays_and_the_start_is_told_in_time() -> None:
    """A start comes between the ticks before it and its first one, a millisecond ahead at least."""
    player = Player()
    player.run(2 * BEAT)
    assert len(player.ticks()) == pytest.approx(48, abs=1)
    player.sequencer.play(player.now + 1440)
    player.run(3 * BEAT)
    at = [message.data for message in player.sent].index(START)
    assert player.sent[at + 1].frame == 2 * BEAT + 1440
    assert 48 <= player.sent[at + 1].frame - player.sent[at].frame <= TICK / 2
    frames = [message.frame for message in player.sent]
    assert frames == sorted(frames)


def test_stop_is_told_at_once_and_the_tempo_goes_on() -> None:
    player = Player()
    player.sequencer.play(1440)
    player.run(2 * BEAT)
    player.sequencer.stop(player.now)
    told = player.run(3 * BEAT)
    (stop,) = [message for message in told if message.data == STOP]
    assert stop.frame <= 2 * BEAT + AHEAD
    gaps = [b - a for a, b in itertools.pairwise(player.ticks())]
    assert gaps[10:] == pytest.approx([TICK] * len(gaps[10:]), abs=1e-6)


def test_playing_again_is_a_start_from_the_beginning() -> None:
    player = Player()
    player.sequencer.play(1440)
    player.run(2 * BEAT)
    player.sequencer.play(player.now + 1440)
    player.run(4 * BEAT)
    assert player.words() == [START, STOP, START]


def test_another_tempo_holds_from_where_it_is_heard() -> None:
    """The sequencer is 150 ms ahead: its new line begins there, and so do the ticks'."""
    player = Player()
    player.sequencer.play(1440)
    player.run(2 * BEAT)
    player.sequencer.set_tempo(60.0)
    player.run(12 * BEAT)
    after = [f for f in player.ticks() if f >= 1440]
    steps = hits(player)
    count = min(len(after) // 24, len(steps))
    assert count > 5
    # Steps are whole frames.
    assert after[::24][:count] == pytest.approx(steps[:count], abs=0.51)
    gaps = {round(b - a) for a, b in itertools.pairwise(after)}
    assert gaps - {1000, 2000} == {next(iter(gaps - {1000, 2000}))}, "one tick between the two"


@pytest.mark.parametrize("look", [48, 240, 480, 960])
def test_how_often_it_is_looked_at_changes_nothing(look: int) -> None:
    player = Player()
    player.sequencer.play(1440)
    player.run(4 * BEAT, look=look)
    assert player.ticks()[-60:] == pytest.approx(
        [player.ticks()[-1] - TICK * n for n in range(59, -1, -1)], abs=1e-6)


def test_a_place_in_the_song_is_told() -> None:
    player = Player()
    player.run(BEAT)
    line = TempoLine(RATE_HZ, 120.0, float(BEAT), 0.0)
    player.sequencer.play_along(line, 20.0, player.now)
    player.run(6 * BEAT + BEAT)
    assert player.words() == [song_position(20), CONTINUE]
    at = [message.data for message in player.sent].index(CONTINUE)
    assert player.sent[at + 1].frame == pytest.approx(line.frame_of(20))
    assert song_position(20) == bytes((0xF2, 20, 0))
    assert song_position(300) == bytes((0xF2, 300 & 127, 300 >> 7))
    assert song_position(16384) == bytes((0xF2, 0, 0))


def test_a_link_session_begins_the_song_on_its_bar() -> None:
    player = Player(song_from_start=True)
    player.run(BEAT)
    line = TempoLine(RATE_HZ, 120.0, float(BEAT), 1600.0)
    player.sequencer.play_along(line, 1616.0, player.now, pattern_start=1616)
    player.run(8 * BEAT)
    assert player.words() == [START]


def test_after_a_long_sleep_it_goes_on_without_a_burst_and_says_where() -> None:
    player = Player()
    player.sequencer.play(1440)
    player.run(2 * BEAT)
    player.now += 100 * BEAT
    told = player.run(player.now + BEAT)
    assert len(told) < 40
    words = [message.data for message in told if message.data != CLOCK]
    assert words[0] == STOP
    assert words[2] == CONTINUE
    place = words[1][1] | words[1][2] << 7
    at = [message.data for message in told].index(CONTINUE)
    assert told[at + 1].frame == pytest.approx(1440 + 6000 * place)


def test_switched_on_while_it_plays_it_joins_where_the_song_is() -> None:
    player = Player()
    player.sequencer.play(1440)
    while player.now < 10 * BEAT:
        player.sequencer.advance(player.now + 7200, 0)
        player.now += LOOK
    player.run(12 * BEAT)
    assert player.words()[-1] == CONTINUE
    place = player.words()[0][1]
    at = [message.data for message in player.sent].index(CONTINUE)
    assert player.sent[at + 1].frame == pytest.approx(1440 + 6000 * place)


def test_a_follower_of_our_own_is_led_to_our_steps() -> None:
    """The clock that goes out, taken in by the clock that comes in: the same tempo and step."""
    player, follower = Player(), MidiClock()
    player.sequencer.play(1440)
    player.run(16 * BEAT)
    for message in player.sent:
        time_s = message.frame / RATE_HZ
        if message.data == CLOCK:
            follower.tick(time_s)
        elif message.data == START:
            follower.start()
    reading = follower.reading
    assert reading.tempo_bpm == pytest.approx(120.0, abs=1e-6)
    line = player.sequencer.transport.line
    assert reading.step == pytest.approx(line.step_at(reading.tick_s * RATE_HZ), abs=1e-6)


def test_clock_is_passed_on_while_a_midi_clock_is_followed() -> None:
    """A master with a tempo of its own: what goes out has its tempo, and its start."""
    player = Player()
    sync = Sync(player.sequencer, player.engine, "midi")
    player.engine.clock.frame_at = lambda s: max(0, round(s * RATE_HZ))  # type: ignore[method-assign]
    player.engine.clock.frame_now = lambda: player.now  # type: ignore[method-assign]
    player.engine.latency_frames = 0
    sync.midi.start()
    period = 60 / 24 / 90
    for tick in range(24 * 16):
        player.now = round(RATE_HZ * (1.0 + tick * period))
        if sync.midi.tick(1.0 + tick * period) or tick % 2 == 0:
            sync.advance(player.now + 7200, player.now - 7200)
        player.sent += player.plan.due(player.sequencer.transport, player.now, player.now + AHEAD)
    assert player.words() == [START]
    ticks = player.ticks()[-100:]
    assert [b - a for a, b in itertools.pairwise(ticks)] == pytest.approx(
        [RATE_HZ * period] * 99, abs=1.5)
