"""Which port's clock is followed, and that clock messages reach the sequencer. No test waits."""

from __future__ import annotations

import pytest

from gan808.sequencer.midi_clock import TICKS_PER_BEAT
from tests.control.test_midi import Deck

CLOCK, START, CONTINUE, STOP = 0xF8, 0xFA, 0xFB, 0xFC


class Band:
    """Masters on ports of their own; time is a number."""

    def __init__(self) -> None:
        self.deck = Deck(sequencer={"playing": False, "sync": "midi"})
        self.clock = self.deck.machine.sync.midi
        self.now_s = 100.0

    def send(self, source: str, *data: int) -> None:
        self.deck.notes.receive(data, self.now_s, source)

    def ticks(self, source: str, count: int, bpm: float = 120.0, silent: str = "") -> None:
        for _ in range(count):
            self.send(source, CLOCK)
            if silent:
                self.send(silent, CLOCK)
            self.now_s += 60.0 / TICKS_PER_BEAT / bpm


def test_clock_start_and_tempo_reach_the_sequencer_s_clock() -> None:
    band = Band()
    band.send("daw", START)
    band.ticks("daw", 48, 93.0)
    reading = band.clock.reading
    assert reading.running
    assert reading.tempo_bpm == pytest.approx(93.0, abs=0.01)
    assert reading.step == pytest.approx(47 / 6)
    band.send("daw", STOP)
    assert not band.clock.reading.running


def test_song_position_and_continue() -> None:
    band = Band()
    band.ticks("daw", 10)
    band.send("daw", 0xF2, 4, 1)  # 4 + 128 sixteenths
    band.send("daw", CONTINUE)
    band.ticks("daw", 1)
    assert (band.clock.reading.running, band.clock.reading.step) == (True, 132.0)


def test_a_second_clock_disturbs_nothing() -> None:
    band = Band()
    band.send("daw", START)
    band.ticks("daw", 96, 120.0, silent="keys")
    assert band.clock.reading.ticks == 96
    assert band.clock.reading.tempo_bpm == pytest.approx(120.0, abs=0.01)
    band.send("keys", STOP)
    assert band.clock.reading.running


def test_a_start_takes_over_from_a_clock_that_only_ticks() -> None:
    band = Band()
    band.ticks("keys", 24, 90.0)
    band.send("daw", START)
    band.ticks("daw", 48, 140.0, silent="keys")
    assert band.clock.reading.running
    assert band.clock.reading.tempo_bpm == pytest.approx(140.0, abs=0.01)
    assert band.deck.notes.clock_source == "daw"


def test_a_master_that_is_silent_is_replaced_and_may_return() -> None:
    band = Band()
    band.ticks("daw", 24, 120.0)
    band.now_s += 2.0
    band.ticks("keys", 24, 90.0)
    assert band.clock.reading.tempo_bpm == pytest.approx(90.0, abs=0.01)
    band.now_s += 2.0
    band.ticks("daw", 24, 120.0)
    assert band.clock.reading.tempo_bpm == pytest.approx(120.0, abs=0.01)


def test_clock_is_heard_whatever_the_channel_and_plays_nothing() -> None:
    band = Band()
    for data in ((CLOCK,), (START,), (CLOCK,), (0xF2, 0, 0), (CONTINUE,), (STOP,), (0xF2, 1)):
        assert band.deck.send(*data) == []
