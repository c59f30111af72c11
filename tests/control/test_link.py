"""A real Ableton Link session between two peers of this machine, where its network allows one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import pytest

from gan808.control.link.peer import LinkPeer, open_link
from gan808.errors import ConfigError
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.sequencer import Sequencer
from gan808.sequencer.sync import Sync
from gan808.sound.kit.slots import TR808
from tests.fakes import FakeEngine
from tests.timing import WITHIN_S

pytestmark = pytest.mark.real_time

RATE_HZ = 48000
CODES = tuple(slot.code for slot in TR808)
PATTERN = Pattern("test", 120.0, rows={"BD": tuple((step + 1) / 16 for step in range(16))})
MEET_S = 15.0


def until(condition: Callable[[], bool], within_s: float = WITHIN_S) -> bool:
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def peers() -> Iterator[tuple[LinkPeer, LinkPeer]]:
    """Two peers that have found each other; the second took over the first one's tempo."""
    pytest.importorskip("aalink", reason="aalink is not installed: no test with a Link session")
    first = open_link(100.0, start_stop=True)
    # A session is older than who joins it, by more than the half second in which Link lets chance
    # decide whose tempo it is.
    time.sleep(1.0)
    second = open_link(130.0, start_stop=True)
    try:
        if not until(lambda: first.peers > 0 and second.peers > 0, MEET_S):
            pytest.skip("two Link peers do not find each other here: no multicast")
        yield first, second
    finally:
        first.close()
        second.close()


def in_bar(beat: float) -> float:
    return (beat + 2.0) % 4.0 - 2.0


def test_two_peers_share_tempo_beat_starts_and_stops(peers: tuple[LinkPeer, LinkPeer]) -> None:
    first, second = peers
    assert until(lambda: abs(first.tempo_bpm - second.tempo_bpm) < 0.01)
    assert first.tempo_bpm == 100.0
    first.set_tempo(140.0)
    # Link counts whole microseconds a beat.
    assert until(lambda: abs(second.tempo_bpm - 140.0) < 0.01)

    def together() -> bool:
        (beat_a, at_a), (beat_b, at_b) = first.beat(), second.beat()
        apart = in_bar(beat_b - beat_a - (at_b - at_a) * 140.0 / 60.0)
        return abs(apart) < 0.01  # 4 ms

    assert until(together)
    assert (first.playing, second.playing) == (False, False)
    second.set_playing(True)
    assert until(lambda: first.playing is True)
    first.set_playing(False)
    assert until(lambda: second.playing is False)


def test_the_sequencer_plays_on_the_session_s_bar(peers: tuple[LinkPeer, LinkPeer]) -> None:
    """Sync on a real peer: the pattern's first step is on a bar of the other peer's beats."""
    first, second = peers
    engine = FakeEngine(RATE_HZ, latency_frames=0)
    engine.ring_commands = 10**6
    clock = engine.clock
    clock.frame_now = lambda: clock.frame_at(time.monotonic())  # type: ignore[method-assign]
    sequencer = Sequencer(PATTERN, CODES, engine.port("sequencer"), RATE_HZ, tempo_bpm=90.0)
    sync = Sync(sequencer, engine, "link", open_link=lambda tempo_bpm: second)
    first.set_tempo(240.0)
    assert until(lambda: abs(second.tempo_bpm - 240.0) < 0.01)
    sync.begin(0)
    end_s = time.monotonic() + 2.5
    while time.monotonic() < end_s:
        now = clock.frame_now()
        sync.advance(now + 4800, now - 4800)
        time.sleep(0.02)
    beat, at_s = first.beat()
    hits = [c for c in engine.commands if c.name == "trigger"]
    assert len(hits) > 8
    assert round(hits[0].value * 16) == 1
    for hit in hits:
        step = round(hit.value * 16) - 1
        place = beat + (clock.time_at(hit.frame) - at_s) * 240.0 / 60.0 - step / 4.0
        assert abs(in_bar(place)) < 0.03, "within 8 ms of the other's beat"
    assert sequencer.tempo_bpm == pytest.approx(240.0, abs=0.01)
    assert first.playing is True
    assert sync.clock == "link 1"
    sync.close()
    assert until(lambda: first.peers == 0)


def test_starts_and_stops_are_kept_apart_unless_asked_for() -> None:
    pytest.importorskip("aalink", reason="aalink is not installed: no test with a Link session")
    peer = open_link(120.0)
    assert peer.playing is None
    peer.set_playing(True)
    assert peer.tempo_bpm == pytest.approx(120.0)
    peer.close()
    peer.close()


def test_the_beat_moves_with_our_clock() -> None:
    pytest.importorskip("aalink", reason="aalink is not installed: no test with a Link session")
    peer = open_link(120.0)
    try:
        (beat_a, at_a), _, (beat_b, at_b) = peer.beat(), time.sleep(0.2), peer.beat()
        assert beat_b - beat_a == pytest.approx(2.0 * (at_b - at_a), abs=0.002)
    finally:
        peer.close()


def test_without_aalink_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aalink", None)
    with pytest.raises(ConfigError, match=r"gan808\[link\]") as refused:
        open_link(120.0)
    assert "\n" not in str(refused.value)
