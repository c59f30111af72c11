"""Bundles: due times to frames, what is late, what waits, bundles in bundles."""

from __future__ import annotations

import itertools
import re
import struct
import time

import pytest
from pythonosc.osc_bundle import OscBundle

from gan808.control.osc import server as osc_module
from gan808.control.osc.times import WallClock
from tests.control.rig import Client, Rig, bundle, frames_of, message, until

AHEAD_S = 5.0
"""So far ahead that no machine holds a thread up for so long."""


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is handed at once what is due AHEAD_S later, so that no test waits for it."""
    monkeypatch.setattr(osc_module, "AHEAD_S", 2 * AHEAD_S)


@pytest.mark.usefixtures("at_once")
def test_a_bundle_is_played_at_its_frame(rig: Rig, client: Client) -> None:
    """The fake clock is time.monotonic, so the frame follows from the wall clock alone."""
    due_s = time.time() + AHEAD_S
    client.bundle(due_s, message("/gan808/trig", "BD", 1.0), message("/gan808/trig", 2, 1.0))
    hits = until(lambda: len(rig.played()) == 2 and rig.played())
    # 48 frames: another reading of the two clocks may be a millisecond off.
    assert frames_of(hits)[0] == pytest.approx(
        rig.engine.clock.frame_at(WallClock().monotonic_at(due_s)), abs=48)
    assert frames_of(hits)[0] == frames_of(hits)[1]


@pytest.mark.usefixtures("at_once")
def test_tags_a_step_apart_play_a_step_apart_to_the_sample(
    rig: Rig, client: Client
) -> None:
    start_s = time.time() + AHEAD_S
    for step in range(16):
        client.bundle(start_s + step * 0.02, message("/gan808/trig", "CH", 1.0))
    hits = until(lambda: len(rig.played()) == 16 and rig.played())
    steps = {b - a for a, b in itertools.pairwise(frames_of(hits))}
    # 0.02 s is 960 frames; a frame more or less is the rounding of each hit to its frame.
    assert steps <= {959, 960, 961}
    assert frames_of(hits)[-1] - frames_of(hits)[0] == pytest.approx(15 * 960, abs=1)
    assert rig.osc.counters.late == 0


def test_what_is_far_ahead_waits_outside_the_engine(rig: Rig, client: Client) -> None:
    client.bundle(time.time() + 9, message("/gan808/trig", "BD", 1.0))
    client.bundle(time.time() + 1.0, message("/gan808/trig", "SD", 1.0))
    client.settle()
    assert rig.played() == []
    until(rig.played)
    assert [hit.slot for hit in rig.played()] == [1]


@pytest.mark.real_time
def test_a_value_in_a_bundle_changes_at_its_frame(rig: Rig, client: Client) -> None:
    due_s = time.time() + 0.1  # the fake engine mixes nothing, so no further ahead
    client.bundle(due_s, message("/gan808/slot/BD/level", 0.125))
    (command,) = until(lambda: [c for c in rig.engine.commands if c.value == 0.125])
    expected = rig.engine.clock.frame_at(WallClock().monotonic_at(due_s))
    assert command.frame == pytest.approx(expected, abs=48)


def test_a_tag_in_the_past_acts_at_once_and_is_told(rig: Rig, client: Client) -> None:
    client.bundle(time.time() - 2.0, message("/gan808/trig", "BD", 1.0),
                  message("/gan808/trig", "SD", 1.0))
    late = client.receive()
    assert late is not None
    assert late[:2] == ("/gan808/late", "/gan808/trig")
    assert late[2] == pytest.approx(2000.0, abs=500.0)
    client.settle()
    assert [(hit.slot, hit.frame) for hit in rig.played()] == [(0, 0), (1, 0)]
    assert rig.osc.counters.late == 2


def test_the_tag_for_at_once_is_not_late(rig: Rig, client: Client) -> None:
    client.bundle(0, message("/gan808/trig", "BD", 1.0))
    client.settle()
    assert frames_of(rig.played()) == [0]


@pytest.mark.usefixtures("at_once")
def test_nested_bundles_have_their_own_times(rig: Rig, client: Client) -> None:
    due_s = time.time() + AHEAD_S
    inner = OscBundle(bundle(due_s + 0.03, message("/gan808/trig", "SD", 1.0)))
    client.raw(bundle(due_s, message("/gan808/trig", "BD", 1.0), inner))
    hits = until(lambda: len(rig.played()) == 2 and rig.played())
    assert frames_of(hits)[1] - frames_of(hits)[0] == pytest.approx(0.03 * 48000, abs=1)


def test_a_bad_message_in_a_future_bundle_fails_now(rig: Rig, client: Client) -> None:
    client.bundle(time.time() + 9, message("/gan808/trig", "XX", 1.0))
    assert (client.receive() or ())[:2] == ("/gan808/fail", "/gan808/trig")


@pytest.mark.parametrize("ahead_s", [11.0, 300.0, 86_400.0, 4e9])
def test_a_clock_that_is_ahead_is_told_and_not_met_with_silence(
    rig: Rig, client: Client, ahead_s: float
) -> None:
    """What it sends is done at once; the line comes once a minute, not with every bundle."""
    for _ in range(3):
        client.bundle(min(time.time() + ahead_s, 2**32 - 2208988800 - 1),
                      message("/gan808/trig", "BD", 1.0))
    until(lambda: len(rig.played()) == 3)
    assert {hit.frame for hit in rig.played()} == {0}
    told = client.receive()
    assert told is not None
    assert told[0] == "/gan808/warning"
    assert re.search(r"your clock is \d+ s ahead", told[2])
    client.settle()


def test_ten_seconds_ahead_is_still_a_time(rig: Rig, client: Client) -> None:
    client.bundle(time.time() + 9.5, message("/gan808/trig", "BD", 1.0))
    client.settle()
    assert rig.played() == []
    assert len(rig.osc._schedule) == 1


@pytest.mark.parametrize("tag", [0, 2])
def test_late_tells_no_nonsense(rig: Rig, client: Client, tag: int) -> None:
    """A bundle without a time is not 126 years late."""
    data = message("/gan808/trig", "BD", 1.0).dgram
    client.raw(b"#bundle\0" + struct.pack(">Qi", tag, len(data)) + data)
    client.settle() if tag == 0 else None
    until(lambda: len(rig.played()) == 1)
    if tag:
        late = client.receive()
        assert late is not None
        assert late[2] <= 1e6


def test_a_good_hit_survives_a_bad_one_in_its_bundle(rig: Rig, client: Client) -> None:
    client.bundle(0, message("/gan808/trig", "BD", 1.0), message("/x", ("b", b"blob")),
                  message("/gan808/trig", "SD", 1.0))
    until(lambda: [hit.slot for hit in rig.played()] == [0, 1])
    failed = client.receive()
    assert failed is not None
    assert failed[:2] == ("/gan808/fail", "/x")
