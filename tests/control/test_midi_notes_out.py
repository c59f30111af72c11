"""Notes out on ports of fakes: what is sent is what the sequencer plays, and every note ends."""

from __future__ import annotations

import pytest

from gan808.sequencer.patterns import Pattern, parse_pattern
from gan808.sound.kit.slots import TR808
from tests.control.midi_out import FakeJack, FakeOutput, FakeSystem, Sending

ON, OFF, ALL_OFF = 0x99, 0x89, bytes((0xB9, 123, 0))
AHEAD_FRAMES = 7200  # as SequencerThread has it: 150 ms
NOTE_FRAMES = 2400
BEAT = 24_000
KICK, SNARE = 36, 38
BUSY = parse_pattern("""name = "busy"
[steps]
BD = "X..x X..."
CH = "xxxx"
SD = "..X."
[chance]
CH = "1539"
[ratchet]
BD = "...8 ...."
[nudge]
SD = -0.3
""", "busy")


def sending(*systems: FakeSystem, jack: FakeJack | None = None, pattern: Pattern | None = None,
            what: tuple[str, ...] = ("notes",), channel: int = 10) -> Sending:
    chosen = {"pattern": pattern} if pattern else {}
    return Sending("keys", *systems, jack=jack, what=what, ahead_frames=AHEAD_FRAMES,
                   midi={"channel": channel}, **chosen)


def notes(port: FakeOutput, status: int) -> list[tuple[float, int, int]]:
    """Frame, note and velocity of the messages of a status, in order."""
    return [(frame, data[1], data[2]) for frame, data in port.sent if data[0] == status]


def are_paired(port: FakeOutput) -> bool:
    """Whether every note on is followed by one off before the next of that note."""
    sounding: set[int] = set()
    for _, data in port.sent:
        if data[0] == ON:
            if data[1] in sounding:
                return False
            sounding.add(data[1])
        elif data[0] == OFF:
            sounding.discard(data[1])
    return not sounding


def test_notes_are_the_hits_that_sound_each_at_its_frame() -> None:
    """Chances, ratchets, nudges and mixed rows, of two bars and some fills."""
    system, jack = FakeSystem("Keys 24:0"), FakeJack("Keys:in")
    sender = sending(system, jack=jack, pattern=BUSY)
    sender.rig.send("/seq/fills", 2)
    sender.rig.send("/seq/play", frame=1000)
    sender.run(6.0)
    sender.rig.send("/seq/stop")
    sender.run(0.5)
    engine = sender.rig.engine
    heard = [(hit.frame, TR808[hit.slot].notes[0], round(127 * hit.velocity))
             for hit in engine.hits]
    assert len(heard) > 80
    assert sorted(notes(jack, ON)) == sorted(heard)
    there = system.opened["Keys 24:0"]
    late = engine.latency_frames
    assert sorted(notes(there, ON)) == sorted((f + late, n, v) for f, n, v in heard)
    assert are_paired(jack)
    assert are_paired(there)


def test_what_sends_at_once_is_sent_when_the_hit_is_heard() -> None:
    system = FakeSystem("Keys 24:0")
    sender = sending(system)
    sender.rig.send("/seq/play", frame=4800)
    heard = 4800 + sender.rig.engine.latency_frames
    sent_at: list[int] = []
    while not sent_at:
        sender.run(0.004)
        if notes(system.opened["Keys 24:0"], ON):
            sent_at.append(sender.rig.engine.clock.frame_at(sender.now_s))
    assert heard <= sent_at[0] < heard + 2 * 192


def test_a_note_ends_after_50_ms() -> None:
    jack = FakeJack()
    sender = sending(jack=jack)
    sender.rig.send("/seq/play", frame=1000)
    sender.run(1.0)
    (first, *_), (end, *_) = notes(jack, ON), notes(jack, OFF)
    assert (first[1:], end[0] - first[0]) == ((KICK, 127), NOTE_FRAMES)


def test_mute_slots_are_silent_and_so_are_others_of_a_solo() -> None:
    jack = FakeJack()
    sender = sending(jack=jack, pattern=BUSY)
    sender.rig.send("/slot/CH/mute", 1)
    sender.rig.send("/seq/play", frame=1000)
    sender.run(1.0)
    assert {note for _, note, _ in notes(jack, ON)} == {KICK, SNARE}
    sender.rig.send("/slot/SD/solo", 1)
    sender.run(0.2)
    jack.sent.clear()
    sender.run(1.0)
    assert {note for _, note, _ in notes(jack, ON)} == {SNARE}


def test_what_is_played_by_hand_and_a_count_in_are_not_sent() -> None:
    jack = FakeJack()
    sender = sending(jack=jack)
    sender.rig.send("/seq/countin", 2)
    sender.rig.send("/trig", "CP", 1.0)
    sender.rig.send("/seq/play", frame=1000)
    sender.run(2.0)
    on = notes(jack, ON)
    assert (on[0][0], {note for _, note, _ in on}) == (1000 + 2 * BEAT, {KICK})


@pytest.mark.parametrize("until_hit", [100, 500])
def test_a_stop_takes_back_what_was_handed_over_already(until_hit: int) -> None:
    """The second kick was given to JACK ahead, and waits for RtMidi: it is heard nowhere."""
    system, jack = FakeSystem("Keys 24:0"), FakeJack()
    sender = sending(system, jack=jack)
    sender.rig.send("/seq/play", frame=1000)
    sender.run((1000 + BEAT - until_hit) / 48_000)
    assert len(notes(jack, ON)) == 2
    sender.rig.send("/seq/stop")
    sender.run(0.5)
    assert len(sender.rig.engine.hits) == 1
    assert len(notes(jack, ON)) == 1
    assert len(notes(system.opened["Keys 24:0"], ON)) == 1


def test_a_stop_ends_what_sounds() -> None:
    jack = FakeJack()
    sender = sending(jack=jack)
    sender.rig.send("/seq/play", frame=1000)
    sender.run(1500 / 48_000)
    assert notes(jack, OFF) == []
    sender.rig.send("/seq/stop")
    sender.run(0.02)
    ((_, note, _),) = notes(jack, OFF)
    assert note == KICK
    sender.run(0.5)
    assert len(notes(jack, OFF)) == 1


def test_the_end_of_the_program_leaves_no_note_on() -> None:
    system, jack = FakeSystem("Keys 24:0"), FakeJack()
    sender = sending(system, jack=jack, pattern=BUSY)
    sender.rig.send("/seq/play", frame=1000)
    sender.run(0.53)
    there = system.opened["Keys 24:0"]
    assert not are_paired(jack)
    sender.sender.stop()
    for port in (there, jack):
        assert are_paired(port)
        assert port.closed


def test_a_port_that_comes_or_returns_is_told_that_nothing_sounds() -> None:
    system, jack = FakeSystem(), FakeJack()
    sender = sending(system, jack=jack)
    sender.rig.send("/seq/play", frame=1000)
    sender.run(0.1)
    for _ in range(2):
        system.plugged = ["Keys 24:0"]
        sender.outputs.rescan()
        sender.run(0.6)
        there = system.opened["Keys 24:0"]
        assert there.sent[0][1] == ALL_OFF
        assert notes(there, ON)
        system.plugged = []
        sender.outputs.rescan()
        sender.run(0.6)
        assert there.closed
    assert len(notes(jack, ON)) > 4, "notes go on elsewhere"


def test_the_channel_is_the_one_that_is_listened_to_or_ten() -> None:
    for channel, status in ((0, 0x99), (3, 0x92)):
        jack = FakeJack()
        sender = sending(jack=jack, channel=channel)
        sender.rig.send("/seq/play", frame=1000)
        sender.run(0.1)
        assert notes(jack, status)


def test_clock_and_notes_share_a_port_and_a_followed_device_gets_the_notes() -> None:
    system, jack = FakeSystem("Keys 24:0"), FakeJack("Keys:in")
    sender = sending(system, jack=jack, what=("clock", "notes"))
    sender.rig.send("/seq/play", frame=1000)
    sender.run(0.5)
    there = system.opened["Keys 24:0"]
    for port in (there, jack):
        assert {data[0] for _, data in port.sent} == {0xF8, 0xFA, ON, OFF, ALL_OFF[0]}
        port.sent.clear()
    frames = [frame for frame, data in jack.sent if data[0] in (0xF8, ON)]
    assert frames == sorted(frames)
    for source in ("Keys 24:0", "Keys:out"):
        sender.followed = source
        sender.outputs.rescan()
        assert jack.connected == {"Keys:in"}
    sender.run(0.1)
    jack.sent.clear()
    sender.run(1.0)
    assert {data[0] for _, data in jack.sent} == {ON, OFF}
