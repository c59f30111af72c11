"""Clock out on ports of fakes: which are opened, what is sent on them and when."""

from __future__ import annotations

import pytest

from gan808.control.midi.outputs import MidiOutputs
from gan808.control.midi.sender import MidiSender
from gan808.errors import DeviceError
from gan808.instrument.events import Notice
from tests.control.midi_out import FakeJack, FakeSystem, Sending, outputs
from tests.instrument.rig import Rig
from tests.interleaving import Work, meet_at_every_instruction

CLOCK, START, STOP = 0xF8, 0xFA, 0xFC


def opened(choice: str, *systems: FakeSystem, jack: FakeJack | None = None) -> MidiOutputs:
    found = outputs(choice, *systems, jack=jack)
    found.open(lambda name: False)
    return found


class TestPorts:
    def test_part_of_a_name_in_any_case(self) -> None:
        system = FakeSystem("TR-8S 20:0", "Keys 24:0", "gan808:GAN-808 128:0")
        ports = opened("tr-8", system)
        assert ports.names == ["TR-8S 20:0"]
        ports.close()
        assert system.opened["TR-8S 20:0"].closed

    def test_one_that_is_not_there_is_waited_for_and_one_that_goes_returns(self) -> None:
        system = FakeSystem()
        ports = opened("keys", system)
        assert ports.ports == ()
        system.plugged = ["Keys 24:0"]
        ports.rescan()
        (port,) = ports.ports
        system.plugged = []
        ports.rescan()
        assert ports.ports == ()
        assert not system.opened["Keys 24:0"].closed, "the thread that sends closes it"
        ports.close_gone()
        assert port.closed  # type: ignore[attr-defined]
        system.plugged = ["Keys 24:0"]
        ports.rescan()
        assert ports.names == ["Keys 24:0"]
        ports.close()

    def test_two_threads_close_what_has_gone_once_each(self) -> None:
        """At the end the thread that sends may still be about it."""

        def begin() -> tuple[Work, Work, Work]:
            system = FakeSystem("Keys 24:0")
            ports = opened("keys", system)
            system.plugged = []
            ports.rescan()
            return ports.close_gone, ports.close_gone, lambda: closed(system)

        def closed(system: FakeSystem) -> None:
            assert system.opened["Keys 24:0"].closed

        assert meet_at_every_instruction((MidiOutputs.close_gone,), begin) > 5

    def test_virtual(self) -> None:
        system = FakeSystem("Keys 24:0")
        ports = opened("virtual", system)
        assert [port.name for port in ports.ports] == ["GAN-808 clock"]
        ports.close()
        jack = FakeJack("synth:in")
        ports = opened("virtual", system, jack=jack)
        assert ports.ports == (jack,)
        assert jack.connected == set()
        ports.close()
        assert jack.closed

    def test_on_jack_it_is_connected_once_to_what_has_the_name(self) -> None:
        jack = FakeJack("synth:in", "other:in")
        ports = opened("synth", FakeSystem(), jack=jack)
        assert jack.connected == {"synth:in"}
        jack.connected.clear()  # by hand
        ports.rescan()
        assert jack.connected == set(), "a cable that a person pulls out stays out"
        jack.others.remove("synth:in")
        ports.rescan()
        jack.others.append("synth:in")
        jack.ready = False  # it has its port, but does not run yet
        ports.rescan()
        assert ports.names == []
        jack.ready = True
        ports.rescan()
        assert jack.connected == {"synth:in"}, "a program that is started anew gets it again"
        ports.close()

    def test_without_any_midi_it_is_one_line(self) -> None:
        with pytest.raises(DeviceError, match="no MIDI system here") as refused:
            opened("keys")
        assert "\n" not in str(refused.value)

    def test_off(self) -> None:
        system = FakeSystem("Keys 24:0")
        assert opened("off", system).ports == ()


class TestSending:
    def test_ticks_start_and_stop_are_due_when_their_frames_are_heard(self) -> None:
        system, jack = FakeSystem("Keys 24:0"), FakeJack()
        sender = Sending("keys", system, jack=jack)
        sender.rig.send("/seq/play", frame=sender.rig.engine.frame + 1440)
        sender.run(2.0)
        sender.rig.send("/seq/stop")
        sender.run(0.5)
        sent = jack.sent
        first = [data for _, data in sent].index(bytes([START]))
        engine = sender.rig.engine
        hit = next(c.frame for c in engine.commands if c.name == "trigger")
        heard = hit + engine.latency_frames
        assert sent[first + 1][0] == pytest.approx(heard), "its first tick is its step"
        ticks = [frame for frame, data in sent[first:] if data == bytes([CLOCK])]
        assert ticks == pytest.approx([heard + n * 1000 for n in range(len(ticks))])
        words = [data[0] for _, data in sent if data[0] != CLOCK]
        assert words == [START, STOP]
        # What sends at once got the same, none of it before its time.
        now = engine.clock.frame_at(sender.now_s)
        assert system.opened["Keys 24:0"].sent == [each for each in sent if each[0] <= now]

    def test_the_followed_device_does_not_get_its_own_clock_back(self) -> None:
        system = FakeSystem("Keys 24:0", "Keys two 25:0")
        jack = FakeJack("Keys:in", "deskKeys:in")
        sender = Sending("keys", system, jack=jack)
        sender.run(0.5)
        before = len(system.opened["Keys 24:0"].sent)
        assert before > 10
        sender.followed = "Keys 24:0"
        sender.run(0.5)
        assert len(system.opened["Keys 24:0"].sent) == before
        assert len(system.opened["Keys two 25:0"].sent) > before
        said = [event.text for event in sender.rig.of_type(Notice)]
        assert [text for text in said if "not sent back to Keys 24:0" in text]
        sender.followed = "Keys:out"
        sender.outputs.rescan()
        assert jack.connected == {"deskKeys:in"}
        sender.followed = None
        sender.outputs.rescan()
        assert jack.connected == {"Keys:in", "deskKeys:in"}

    def test_it_does_where_the_user_names_the_whole_port(self) -> None:
        system = FakeSystem("Keys 24:0")
        sender = Sending("Keys 24:0", system)
        sender.followed = "Keys 24:0"
        sender.run(0.5)
        assert len(system.opened["Keys 24:0"].sent) > 10

    def test_off_opens_and_starts_nothing(self) -> None:
        rig = Rig()
        sender = MidiSender(rig.machine, outputs("off", FakeSystem("Keys")), [])
        sender.start()
        assert sender.notice == ""
        sender.stop()
