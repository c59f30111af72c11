"""Ports that come and go, which of them are opened, and when what they bring arrived."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from gan808.control.midi.arrival_times import Arrival, ArrivalClock
from gan808.control.midi.jack_port import JackPort, JackSource
from gan808.control.midi.ports import MidiPorts
from gan808.control.midi.systems import InputPort, MidiSystem, OpenPort
from gan808.errors import DeviceError
from tests.interleaving import Work, meet_at_every_instruction

NOTE = [0x99, 36, 100]


class FakeRt:
    """RtMidi's MidiIn as far as ports go: names to list and a callback."""

    def __init__(self, system: FakeSystem) -> None:
        self.system = system
        self.callback: Callable[..., None] | None = None
        self.closed = False

    def get_ports(self) -> list[str]:
        return list(self.system.plugged)

    def ignore_types(self, **types: bool) -> None:
        assert not any(types.values()), "a message left out would spoil the delta times"

    def set_callback(self, callback: Callable[..., None]) -> None:
        self.callback = callback

    def cancel_callback(self) -> None:
        self.callback = None

    def close_port(self) -> None:
        self.closed = True

    def delete(self) -> None:
        pass

    def arrive(self, data: list[int]) -> None:
        assert self.callback is not None
        self.callback((data, 0.0))


class FakePolled:
    """A port that keeps what arrives until it is polled."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False
        self.lost = 0
        self._waiting: list[Arrival] = []

    def poll(self) -> list[Arrival]:
        assert not self.closed
        found, self._waiting = self._waiting, []
        return found

    def close(self) -> None:
        self.closed = True

    def arrive(self, data: list[int]) -> None:
        self._waiting.append(Arrival(data, 0.0))


class FakeSystem(MidiSystem):
    """A MIDI system whose cables the test plugs."""

    def __init__(self, name: str = "ALSA", plugged: tuple[str, ...] = (), *,
                 polled: bool = False, busy: tuple[str, ...] = ()) -> None:
        super().__init__(0, name)
        self.polled = polled
        self.plugged = list(plugged)
        self.busy = busy
        self.opened: dict[str, FakeRt | FakePolled] = {}

    def scanner(self) -> FakeRt:
        return FakeRt(self)

    def open(self, name: str, deliver: Callable[[Arrival], None]) -> InputPort:
        assert name in self.plugged or "#" in name
        if name in self.busy:
            raise DeviceError(f"{name} is busy")
        return self._make(name, deliver)

    def open_virtual(self, deliver: Callable[[Arrival], None]) -> InputPort:
        return self._make("GAN-808", deliver)

    def _make(self, name: str, deliver: Callable[[Arrival], None]) -> InputPort:
        if self.polled:
            self.opened[name] = polled = FakePolled(name)
            return polled
        self.opened[name] = rt = FakeRt(self)
        return OpenPort(rt, name, deliver)


def ports_of(choice: str, *found: FakeSystem) -> MidiPorts:
    def find_systems(*, jack: JackSource | None) -> list[Any]:
        return [system for system in found if jack or system.name != "JACK"]

    jack = no_output if any(system.name == "JACK" for system in found) else None
    return MidiPorts(choice, jack=jack, find_systems=find_systems)


def no_output() -> Any:
    """Where nothing plays on JACK."""
    raise DeviceError("nothing plays")


class TestChoice:
    def test_auto_opens_every_real_port(self) -> None:
        system = FakeSystem(plugged=("Pads 20:0", "Midi Through 14:0", "Keys 24:0"))
        ports = ports_of("auto", system)
        ports.open()
        assert ports.names == ["Pads 20:0", "Keys 24:0"]
        assert ports.notice == "MIDI from Pads 20:0, Keys 24:0"
        ports.close()

    def test_auto_without_real_ports_opens_a_virtual_one(self) -> None:
        ports = ports_of("auto", FakeSystem(plugged=("Midi Through 14:0",)))
        ports.open()
        assert ports.names == ["GAN-808"]
        ports.close()

    def test_auto_on_jack_has_a_port_there_beside_the_real_ones(self) -> None:
        jack = FakeSystem("JACK", ("other:out",), polled=True)
        ports = ports_of("auto", FakeSystem(plugged=("Pads 20:0",)), jack)
        ports.open()
        assert ports.names == ["Pads 20:0", "GAN-808"]
        assert list(jack.opened) == ["GAN-808"]
        ports.close()

    def test_auto_without_any_midi_says_so(self) -> None:
        ports = ports_of("auto")
        ports.open()
        assert (ports.names, ports.read(0.0)) == ([], [])
        assert "no MIDI system" in ports.notice
        ports.close()

    def test_virtual_only(self) -> None:
        ports = ports_of("virtual", FakeSystem(plugged=("Pads 20:0",)))
        ports.open()
        assert ports.names == ["GAN-808"]
        ports.close()

    def test_off(self) -> None:
        ports = ports_of("off", FakeSystem(plugged=("Pads 20:0",)))
        ports.open()
        assert ports.names == []
        ports.close()

    def test_part_of_a_name_in_any_case(self) -> None:
        system = FakeSystem(plugged=("nanoPAD2 20:0", "Keys 24:0", "nanoKEY2 28:0"))
        ports = ports_of("nano", system)
        ports.open()
        assert ports.names == ["nanoPAD2 20:0", "nanoKEY2 28:0"]
        ports.close()

    def test_a_name_nobody_has_is_one_line_with_those_there_are(self) -> None:
        ports = ports_of("drumkat", FakeSystem(plugged=("Keys 24:0",)))
        with pytest.raises(DeviceError, match=r"'drumkat'.*Keys 24:0.*virtual") as refused:
            ports.open()
        assert "\n" not in str(refused.value)

    def test_a_name_without_any_midi_is_one_line(self) -> None:
        with pytest.raises(DeviceError, match="no MIDI system"):
            ports_of("Keys").open()

    def test_two_of_the_same_name_are_both_opened(self) -> None:
        ports = ports_of("auto", FakeSystem("CoreMIDI", ("USB MIDI", "USB MIDI")))
        ports.open()
        assert ports.names == ["USB MIDI", "USB MIDI #2"]
        ports.close()


class TestHotPlug:
    def test_a_port_that_comes_is_opened_and_one_that_goes_is_closed(self) -> None:
        system = FakeSystem(plugged=("Keys 24:0",))
        ports = ports_of("auto", system)
        ports.open()
        system.plugged.append("Pads 20:0")
        ports.rescan()
        assert ports.names == ["Keys 24:0", "Pads 20:0"]
        system.plugged.remove("Keys 24:0")
        ports.rescan()
        assert ports.names == ["Pads 20:0"]
        assert system.opened["Keys 24:0"].closed
        system.plugged.insert(0, "Keys 24:0")
        ports.rescan()
        system.opened["Keys 24:0"].arrive(NOTE)
        assert [arrival.data for arrival in ports.read(1.0)] == [NOTE]
        ports.close()

    def test_a_port_that_goes_is_reported_once(self, caplog: pytest.LogCaptureFixture) -> None:
        system = FakeSystem(plugged=("Keys 24:0", "Pads 20:0"))
        ports = ports_of("auto", system)
        ports.open()
        system.plugged.remove("Keys 24:0")
        with caplog.at_level("WARNING", logger="gan808"):
            ports.rescan()
            ports.rescan()
        ports.close()
        assert caplog.messages == [
            "MIDI port Keys 24:0 has gone; it is picked up when it returns"]

    def test_the_watcher_finds_it_by_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gan808.control.midi.systems.RESCAN_S", 0.01)
        system = FakeSystem(plugged=("Keys 24:0",))
        ports = ports_of("auto", system)
        ports.open()
        system.plugged.append("Pads 20:0")
        for _ in range(500):
            if "Pads 20:0" in ports.names:
                break
            ports.read(0.01)
        assert ports.names == ["Keys 24:0", "Pads 20:0"]
        ports.close()

    def test_a_busy_port_is_tried_again(self) -> None:
        system = FakeSystem(plugged=("Keys 24:0", "Pads 20:0"), busy=("Pads 20:0",))
        ports = ports_of("auto", system)
        ports.open()
        assert ports.names == ["Keys 24:0"]
        system.busy = ()
        ports.rescan()
        assert ports.names == ["Keys 24:0", "Pads 20:0"]
        ports.close()

    def test_a_polled_port_that_goes_is_closed_by_the_reader(self) -> None:
        jack = FakeSystem("JACK", ("pads:out",), polled=True)
        ports = ports_of("pads", jack)
        ports.open()
        jack.opened["pads:out"].arrive(NOTE)
        assert [arrival.data for arrival in ports.read(1.0)] == [NOTE]
        jack.plugged.clear()
        ports.rescan()
        assert not jack.opened["pads:out"].closed
        ports.read(0.0)
        ports.close()
        assert jack.opened["pads:out"].closed


class TestReading:
    def test_polled_and_called_back_ports_together(self) -> None:
        jack, alsa = FakeSystem("JACK", polled=True), FakeSystem(plugged=("Keys 24:0",))
        ports = ports_of("auto", alsa, jack)
        ports.open()
        jack.opened["GAN-808"].arrive([0x99, 36, 1])
        alsa.opened["Keys 24:0"].arrive([0x99, 36, 2])
        arrived = []
        while len(arrived) < 2:
            found = ports.read(1.0)
            assert found
            arrived += [arrival.data[2] for arrival in found]
        assert sorted(arrived) == [1, 2]
        ports.close()


class TestArrivalClock:
    def test_late_reading_does_not_move_the_arrival(self) -> None:
        """Notes 10 ms apart, read up to 8 ms late: arrivals stay within the smallest lateness."""
        lateness, clock = random.Random(808), ArrivalClock()
        offsets = []
        for beat in range(200):
            true_s = 5.0 + 0.01 * beat
            late_s = 0.008 * lateness.random()
            offsets.append(clock.arrival(0.01 if beat else 0.0, true_s + late_s) - true_s)
        assert max(offsets[50:]) - min(offsets[50:]) < 0.0005
        assert max(offsets[50:]) < 0.0005

    def test_a_slow_clock_is_followed(self) -> None:
        """50 ppm of drift over ten minutes are 30 ms; the arrivals stay within a millisecond."""
        clock = ArrivalClock()
        for beat in range(1200):
            now_s = 100.0 + 0.5 * beat
            arrival_s = clock.arrival(0.5 * (1 - 50e-6) if beat else 0.0, now_s)
            assert arrival_s == pytest.approx(now_s, abs=0.001)

    def test_lost_messages_do_not_put_arrivals_in_the_past(self) -> None:
        clock = ArrivalClock()
        clock.arrival(0.0, 10.0)
        assert clock.arrival(0.01, 20.0) == 20.0

    def test_an_arrival_is_never_later_than_its_reading(self) -> None:
        chance, clock, now_s = random.Random(1), ArrivalClock(), 0.0
        for _ in range(1000):
            delta_s = chance.expovariate(20.0)
            now_s += delta_s + 0.01 * chance.random()
            assert clock.arrival(delta_s, now_s) <= now_s + 1e-12


def test_two_threads_close_what_has_gone_once_each() -> None:
    """At the end the thread that reads may still be about it."""

    def begin() -> tuple[Work, Work, Work]:
        system = FakeSystem("JACK", ("pads",), polled=True)
        ports = MidiPorts("pads", jack=no_output, find_systems=lambda **_: [system])
        ports.open()
        system.plugged = []
        ports.rescan()
        assert not system.opened["pads"].closed
        return ports._close_gone, ports.close, lambda: closed(system)

    def closed(system: FakeSystem) -> None:
        assert system.opened["pads"].closed

    assert meet_at_every_instruction((MidiPorts._close_gone,), begin) > 5


class TestLost:
    """Messages that found no room are counted up, whichever ports come and go meanwhile."""

    def test_a_port_that_goes_takes_no_count_along(self) -> None:
        system = FakeSystem("JACK", ("pads",), polled=True)
        ports = MidiPorts("pads", jack=no_output, find_systems=lambda **_: [system])
        ports.open()
        polled = system.opened["pads"]
        assert isinstance(polled, FakePolled)
        polled.lost = 37
        assert ports.lost == 37
        system.plugged = []
        ports.rescan()
        assert ports.lost == 37
        ports.close()

    def test_a_server_that_comes_back_counts_on(self) -> None:
        class Output:
            """Plays on one server: when that goes, another takes its place."""

            def __init__(self) -> None:
                self.alive, self.lost = True, 0

            def open_midi_input(self, _: str) -> Output:
                return self

            def close(self) -> None:
                pass

            def read(self) -> list[Any]:
                return []

        now = [Output()]
        port: Any = JackPort("GAN-808", lambda: now[0])  # type: ignore[arg-type, return-value]
        for _ in range(2):
            now[0].lost = 37
            now[0].alive = False
            port._tried_s = -1e9
            port.poll()
            before, now[0] = now[0], Output()
            port.poll()
            assert port._input is now[0] is not before
        assert port.lost == 74
