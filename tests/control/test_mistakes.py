"""No request, whatever it raises, ends a thread: it is refused, and the next one is done."""

from __future__ import annotations

import http.client
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gan808.config import Settings
from gan808.control.midi import input as midi
from gan808.control.midi.arrival_times import Arrival
from gan808.control.midi.input import MidiInput
from gan808.control.midi.ports import MidiPorts
from gan808.control.oscquery import discovery
from gan808.control.web import query
from gan808.instrument.calls import Call
from gan808.instrument.commands.handlers import Commands
from gan808.instrument.events import Event
from gan808.instrument.parameter import SLOT, Kind
from gan808.instrument.parameters import TABLE
from gan808.sequencer.sequencer import Sequencer
from gan808.storage.library import Library
from tests.control.rig import Client, Rig, until
from tests.control.test_discovery import Found
from tests.control.test_midi_ports import FakePolled
from tests.control.web.rig import Served
from tests.timing import SOON_S

MISTAKES = [OSError(36, "File name too long"), RecursionError("too deep"), MemoryError(),
            ValueError("of another shape"), IndexError("out of range"), RuntimeError("\n\n")]
ASKED = [row for row in TABLE if row.kind in (Kind.VALUE, Kind.ACTION, Kind.QUERY)]


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def alive(rig: Rig, client: Client) -> None:
    """The machine's, the sequencer's and the OSC thread still do what they are asked."""
    client.settle()
    names = {thread.name for thread in threading.enumerate()}
    assert {"gan808-machine", "gan808-sequencer", "osc"} <= names
    assert client.ask("/gan808/slot/BD/level") == ("/gan808/slot/BD/level", pytest.approx(0.8))


@pytest.mark.parametrize("error", MISTAKES, ids=lambda error: type(error).__name__)
def test_every_row_of_the_table_may_raise(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Each is answered with /fail, values asked for and set, actions and questions."""
    register = Commands.register
    broken = {"now": True}

    def failing(self: Commands, handlers: Mapping[str, Any]) -> None:
        def handler(real: Callable[[Call], Any], call: Call) -> Any:
            if broken["now"]:
                raise error
            return real(call)

        register(self, {address: (lambda call, real=real: handler(real, call))
                        for address, real in handlers.items()})

    monkeypatch.setattr(Commands, "register", failing)
    values = {"i": 1, "f": 0.5, "s": "BD"}
    with Rig() as rig, Client(rig) as client:
        for row in ASKED:
            given = [a.choices[0] if a.choices else values[a.type] if a.type == "s" else
                     max(values[a.type], a.minimum or 0) for a in row.arguments if not a.optional]
            address = f"/gan808{row.address.replace(SLOT, 'BD')}"
            answer = client.ask(address, *given)
            assert answer[:2] == ("/gan808/fail", address), row
            assert type(error).__name__ in answer[2]
            assert "\n" not in answer[2]
        broken["now"] = False
        alive(rig, client)


def test_a_hit_may_raise(rig: Rig, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    port = rig.engine.port("osc")
    with monkeypatch.context() as broken:
        broken.setattr(port, "trigger", raising(RuntimeError("the ring is broken")))
        broken.setattr(port, "stop", raising(RuntimeError("the ring is broken")))
        for address, *values in (("/gan808/trig", "BD", 1.0), ("/dirt/play", "s", "bd"),
                                 ("/gan808/stop",)):
            assert client.ask(address, *values)[0] == "/gan808/fail"
    alive(rig, client)
    client.send("/gan808/trig", "BD", 1.0)
    until(rig.played)


def test_what_comes_later_may_raise(
    rig: Rig, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sound that was rendered, a kit that was read, a scene that was written."""
    with monkeypatch.context() as broken:
        broken.setattr(rig.machine.swaps, "put", raising(KeyError("cell")))
        for address, *values in (("/gan808/slot/BD/new", 17), ("/gan808/slot/BD/morph", 17, 0.5),
                                 ("/gan808/slot/BD/similar", 0.5)):
            client.send(address, *values)
            until(lambda: rig.filler.pending)
            rig.filler.deliver_all()
            answer = client.receive()
            assert answer is not None
            assert answer[:2] == ("/gan808/fail", address)
    kit = rig.library.kit("other")
    with monkeypatch.context() as broken:
        broken.setattr(kit, "factory_sounds", raising(MemoryError()))
        assert client.ask("/gan808/kit/load", "other")[:2] == ("/gan808/fail", "/gan808/kit/load")
    with monkeypatch.context() as broken:
        broken.setattr(rig.library, "save_scene", raising(UnicodeError("no such letter")))
        assert client.ask("/gan808/scene/save", "a")[:2] == ("/gan808/fail", "/gan808/scene/save")
    assert client.ask("/gan808/scene/save", "a")[0] == "/gan808/done"
    alive(rig, client)


def test_who_watches_goes_on_being_told(
    rig: Rig, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, failed = rig.engine.begun, threading.Event()

    def broken(since: int) -> Any:
        if since == 1 << 62:
            return begun(since)
        failed.set()
        raise IndexError("of another kit")

    with monkeypatch.context() as patch:
        patch.setattr(rig.engine, "begun", broken)
        assert client.ask("/gan808/watch", 1)[0] == "/gan808/done"
        assert failed.wait(SOON_S)
    assert client.receive() == ("/gan808/seq/playhead", -1)


def test_a_listener_may_raise(rig: Rig, client: Client) -> None:
    """The others hear of it, and whoever set the value gets it."""
    heard: list[Event] = []
    rig.machine.subscribe(raising(ZeroDivisionError()))
    rig.machine.subscribe(heard.append)
    client.send("/gan808/slot/BD/level", 0.8)
    alive(rig, client)
    assert heard


def test_the_sequencer_may_raise(
    rig: Rig, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()

    def advance(*_: Any) -> None:
        failed.set()
        raise ArithmeticError

    with monkeypatch.context() as broken:
        broken.setattr(Sequencer, "advance", advance)
        assert failed.wait(20.0)
    alive(rig, client)
    client.send("/gan808/seq/play")
    until(lambda: rig.played("sequencer"))


def test_reading_osc_may_raise(rig: Rig, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def receive(*_: Any) -> None:
        calls.append(1)
        raise RuntimeError("poll")

    with monkeypatch.context() as broken:
        broken.setattr(rig.osc._socket, "receive", receive)
        until(lambda: len(calls) > 1)
        assert len(calls) < 50, "it must not spin"
    alive(rig, client)


class TestMidi:
    @pytest.fixture
    def port(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Any:
        port = FakePolled("pads")

        class Ports(MidiPorts):
            def open(self) -> None:
                self._add(("JACK", "pads"), port)  # type: ignore[arg-type]

        monkeypatch.setattr(midi, "MidiPorts", Ports)
        monkeypatch.setattr(midi, "READ_TIMEOUT_S", 0.02)
        notes = MidiInput(rig.machine, Settings())
        notes.start()
        yield port
        assert notes._thread.is_alive()
        notes.stop()

    def test_a_message_may_raise(
        self, rig: Rig, port: FakePolled, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        note = Arrival([0x99, 36, 100], 0.0)
        with monkeypatch.context() as broken:
            broken.setattr(rig.machine, "trigger", raising(IndexError("a list that shrank")))
            port._waiting = [note]
            until(lambda: not port._waiting)
        port._waiting = [note]
        until(lambda: rig.played("midi"))

    def test_a_port_may_raise(
        self, rig: Rig, port: FakePolled, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = []

        def poll() -> None:
            calls.append(1)
            raise OSError("the cable")

        with monkeypatch.context() as broken:
            broken.setattr(port, "poll", poll)
            until(lambda: len(calls) > 1)
            assert len(calls) < 50, "it must not spin"
        port._waiting = [Arrival([0x99, 36, 100], 0.0)]
        until(lambda: rig.played("midi"))

    def test_a_list_of_slots_that_shrinks_is_replaced_whole(self, rig: Rig) -> None:
        """The thread that plays looks at it while another kit comes to play."""
        before = rig.machine.swaps.slots
        kit = rig.library.kit("other")
        small = type(kit)("small", slots=kit.slots[:2])
        placement = rig.machine.swaps.prepare(small, small.factory_sounds(48000), 0)
        rig.machine.post(rig.machine.swaps.commit, placement)
        until(lambda: len(rig.machine.swaps.slots) == 2)
        assert len(before) == 16


class TestFinding:
    def test_a_question_over_http_may_raise(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        statuses = []
        with Served(rig.osc.address) as server:
            for fails in (*[True] * 10, False):
                with monkeypatch.context() as broken:
                    if fails:
                        broken.setattr(query, "node_at", raising(TypeError("NoneType")))
                    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
                    connection.request("GET", "/gan808/volume")
                    statuses.append(connection.getresponse().status)
                    connection.close()
        assert statuses == [500] * 10 + [200]

    def test_a_server_that_cannot_be_made_is_a_line(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(discovery.WebProcess, "start", raising(RuntimeError("no thread")))
        with Found(rig) as found:
            until(lambda: found.warned)
            assert "RuntimeError: no thread" in found.warned[0]
            assert found.parts._thread.is_alive()


class TestFolders:
    """Odd things in the user's folders, and odd names."""

    @pytest.fixture
    def library(self, tmp_path: Path) -> Library:
        for name in ("kits", "patterns", "scenes"):
            (tmp_path / name).mkdir()
        return Library((tmp_path / "kits",), (tmp_path / "patterns",), tmp_path / "favourites",
                       tmp_path / "exports", tmp_path / "scenes")

    @pytest.fixture
    def rig(self, library: Library) -> Iterator[Rig]:
        with Rig(library) as rig:
            yield rig

    @pytest.mark.parametrize("letter", ["x", "\u00fc", "\u9f13", "\U0001f941"])
    def test_names_are_bounded_in_bytes(
        self, rig: Rig, client: Client, library: Library, letter: str
    ) -> None:
        """128 letters of two bytes are one too many for a file system."""
        for address, *more in (
                ("/gan808/kit/load",), ("/gan808/kit/save",), ("/gan808/seq/pattern",),
                ("/gan808/seq/save",), ("/gan808/scene/save",), ("/gan808/scene/recall",),
                ("/gan808/scene/delete",), ("/gan808/record/start",),
                ("/gan808/sound/export", "BD"), ("/gan808/export", "wav")):
            for count in (128, 255, 256, 4000):
                answer = client.ask(address, *more, letter * count)
                assert answer[0] == "/gan808/fail" or letter == "x", (address, count)
                assert "mistake" not in answer[2], answer
        alive(rig, client)

    @pytest.mark.parametrize("kind", ["fifo", "folder", "device", "ring"])
    def test_what_is_no_file_is_refused_and_not_listed(
        self, rig: Rig, client: Client, library: Library, tmp_path: Path, kind: str
    ) -> None:
        """A pipe would block whoever reads it for ever, a device has no end."""
        places = [tmp_path / "kits" / "odd" / "kit.toml", tmp_path / "patterns" / "odd.toml",
                  tmp_path / "patterns" / "odd.mid", tmp_path / "scenes" / "odd.scene"]
        for place in places:
            place.parent.mkdir(exist_ok=True)
            if kind == "fifo":
                os.mkfifo(place)
            elif kind == "folder":
                place.mkdir()
            else:
                place.symlink_to("/dev/zero" if kind == "device" else place)
        for address, name in (("/gan808/kit/load", "odd"), ("/gan808/seq/pattern", "odd"),
                              ("/gan808/seq/pattern", "odd.mid"),
                              ("/gan808/scene/recall", "odd")):
            answer = client.ask(address, name)
            assert answer[:2] == ("/gan808/fail", address)
            assert "mistake" not in answer[2], answer
        for address in ("/gan808/kit/list", "/gan808/seq/patterns", "/gan808/scene/list"):
            assert not {"odd", "odd.mid"} & set(client.ask(address)[1:]), address
        alive(rig, client)

