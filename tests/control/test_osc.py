"""The OSC server over a real socket, with python-osc's messages, on a machine of fakes."""

from __future__ import annotations

import itertools
import socket
import struct
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pythonosc.udp_client import SimpleUDPClient

from gan808 import __version__
from gan808.config import Settings
from gan808.control.osc.server import OscServer
from gan808.control.osc.udp_socket import OscSocket
from gan808.engine.engine import ALL_SLOTS, SlotParameter
from gan808.errors import DeviceError
from tests.control.rig import SILENCE_S, Client, Rig, bundle, message, until
from tests.timing import SOON_S


class TestHits:
    def test_trig_plays_a_slot_at_once(self, rig: Rig, client: Client) -> None:
        client.send("/gan808/trig", "SD", 0.5)
        client.send("/gan808/trig", "1", 1)
        client.send("/gan808/trig", 16, 0.25)
        client.send("/gan808/trig", 2.0, 0.75)
        client.settle()
        hits = [(c.name, c.slot, c.value, c.frame) for c in rig.played()]
        assert hits == [("trigger", 1, 0.5, 0), ("trigger", 0, 1.0, 0), ("trigger", 15, 0.25, 0),
                        ("trigger", 1, 0.75, 0)]

    @pytest.mark.parametrize("address", ["/gan808/play", "/dirt/play"])
    def test_play_understands_superdirt(self, rig: Rig, client: Client, address: str) -> None:
        client.send(address, "s", "bd", "gain", 0.5, "pan", 1.0, "speed", 2.0, "orbit", 3)
        client.settle()
        (hit,) = rig.played()
        assert (hit.slot, hit.gain, hit.pan, hit.tune_semitones) == (0, 0.5**4, 1.0, 12.0)

    def test_tidal_s_greetings_are_answered_as_superdirt_does(self, client: Client) -> None:
        assert client.ask("/dirt/hello") == ("/dirt/hello/reply",)
        reply, name, *buses = client.ask("/dirt/handshake")
        assert (reply, name) == ("/dirt/handshake/reply", "&controlBusIndices")
        assert buses, "without any Tidal goes on waiting"

    def test_stop_silences_one_slot_or_all(self, rig: Rig, client: Client) -> None:
        client.send("/gan808/stop", "CY")
        client.send("/gan808/stop")
        client.settle()
        assert [(c.name, c.slot) for c in rig.played()] == [("stop", 13), ("stop", ALL_SLOTS)]

    def test_a_full_ring_is_told(self, rig: Rig, client: Client) -> None:
        rig.engine.port("osc").full = True
        address, about, why = client.ask("/gan808/trig", "BD", 1.0)
        assert (address, about) == ("/gan808/fail", "/gan808/trig")
        assert "busy" in why

    def test_python_osc_s_own_client(self, rig: Rig, client: Client) -> None:
        sender = SimpleUDPClient(*rig.osc.address)
        sender.send_message("/gan808/trig", ["BD", 0.75])
        until(rig.played)
        assert rig.played()[0].value == 0.75


class TestValues:
    def test_set_then_get_on_the_same_address(self, rig: Rig, client: Client) -> None:
        client.send("/gan808/slot/BD/level", 0.25)
        assert client.ask("/gan808/slot/1/level") == ("/gan808/slot/BD/level", 0.25)
        (command,) = [c for c in rig.engine.commands if c.value == 0.25]
        assert (command.slot, command.parameter) == (0, SlotParameter.LEVEL)

    def test_floats_do_for_ints(self, rig: Rig, client: Client) -> None:
        client.send("/gan808/slot/OH/choke", 3.0)
        client.send("/gan808/slot/BD/mute", ("T", True))
        assert client.ask("/gan808/slot/OH/choke") == ("/gan808/slot/OH/choke", 3)
        assert client.ask("/gan808/slot/BD/mute") == ("/gan808/slot/BD/mute", 1)

    @pytest.mark.parametrize("value", [("i", 1), ("f", 1.0), ("d", 1.0), ("h", 1), ("T", True)])
    def test_every_number_type_is_a_number(
        self, rig: Rig, client: Client, value: tuple[str, object]
    ) -> None:
        client.send("/gan808/slot/BD/lock", value)
        assert client.ask("/gan808/slot/BD/lock")[1] == 1

    def test_wildcards_set_and_get_several(self, rig: Rig, client: Client) -> None:
        client.send("/gan808/slot/[LMH]T/pan", -0.5)
        client.send("/gan808/slot/{LC,HC}/pan", 0.5)
        client.settle()
        client.send("/gan808/slot/*/pan")
        answers = dict(client.receive() or ("", 0.0) for _ in range(16))
        moved = {address.split("/")[3]: pan for address, pan in answers.items() if pan}
        assert moved == {"LT": -0.5, "MT": -0.5, "HT": -0.5, "LC": 0.5, "HC": 0.5}
        assert len(answers) == 16

    def test_one_step_of_the_pattern(self, rig: Rig, client: Client) -> None:
        client.send("/gan808/seq/step", "CP", 3, 0.5)
        assert client.ask("/gan808/seq/step", "CP", 3) == ("/gan808/seq/step", "CP", 3, 0.5)

    def test_evolve(self, rig: Rig, client: Client) -> None:
        client.send("/gan808/evolve", 4)
        client.send("/gan808/evolve/mode", "all")
        assert client.ask("/gan808/evolve") == ("/gan808/evolve", 4.0)
        assert client.ask("/gan808/evolve/mode") == ("/gan808/evolve/mode", "all")


class TestQueriesAndActions:
    def test_hello(self, client: Client) -> None:
        assert client.ask("/gan808/hello") == ("/gan808/hello/reply", __version__, 1)

    def test_status(self, rig: Rig, client: Client) -> None:
        rig.stock("kick", 1, 2)
        address, *values = client.ask("/gan808/status")
        assert address == "/gan808/status.reply"
        assert [type(value) for value in values] == [int, int, float, float, int, float, float]
        assert values[1] == 2
        assert values[5] == 48000.0

    def test_pool_and_kits(self, rig: Rig, client: Client) -> None:
        rig.stock("clap", 1, 2, 3)
        _, *stock = client.ask("/gan808/pool")
        assert dict(zip(stock[::2], stock[1::2], strict=True))["clap"] == 3
        assert client.ask("/gan808/kit/list") == ("/gan808/kit/list", "fake", "other")

    def test_info(self, client: Client) -> None:
        address, name, seed, heard, confidence, realness = client.ask("/gan808/slot/BD/info")
        assert address == "/gan808/slot/BD/info"
        assert (name.split("/")[:2], heard) == (["fake", "kick"], "kick")
        assert seed == int(name.split("/")[2])
        assert (confidence, realness) == (pytest.approx(0.9), 0.5)

    def test_new_from_the_pool(self, rig: Rig, client: Client) -> None:
        rig.stock("kick", 77)
        assert client.ask("/gan808/slot/BD/new") == (
            "/gan808/done", "/gan808/slot/BD/new", "fake/kick/77")
        assert client.ask("/gan808/slot/BD/info")[1] == "fake/kick/77"

    def test_new_by_seed_is_done_when_the_sound_is_there(self, rig: Rig, client: Client) -> None:
        client.send("/gan808/slot/BD/new", 123456)
        client.send("/gan808/sync", 1)
        client.send("/gan808/hello")
        assert (client.receive() or ("",))[0] == "/gan808/hello/reply"
        assert client.receive(SILENCE_S) is None, "neither done nor synced before the sound"
        until(lambda: rig.filler.pending)
        rig.filler.deliver_all()
        assert client.receive() == ("/gan808/done", "/gan808/slot/BD/new", "fake/kick/123456")
        assert client.receive() == ("/gan808/synced", 1)

    def test_an_empty_pool_is_told(self, client: Client) -> None:
        address, about, why = client.ask("/gan808/slot/BD/new")
        assert (address, about) == ("/gan808/fail", "/gan808/slot/BD/new")
        assert "kick" in why

    def test_a_kit_is_done_when_it_plays(self, rig: Rig, client: Client) -> None:
        client.send("/gan808/kit/load", "other")
        until(lambda: rig.filler.pending)
        rig.filler.deliver_all()
        assert client.receive() == ("/gan808/done", "/gan808/kit/load", "other")
        assert client.ask("/gan808/kit/load", "none")[:2] == ("/gan808/fail", "/gan808/kit/load")

    @pytest.mark.parametrize(("name", "values", "trail", "more"), [
        ("similar", (0.2, 3), "+", (2,)), ("similar", (0.2,), "+", (0,)),
        ("morph", (99, 0.25), "~99@0.25", ()), ("recall", ("fake/kick/5~9@0.5",), "~9@0.5", ()),
    ])
    def test_latent_play_is_done_when_it_plays(
        self, rig: Rig, client: Client, name: str, values: tuple, trail: str, more: tuple
    ) -> None:
        address = f"/gan808/slot/BD/{name}"
        client.send(address, *values)
        until(lambda: rig.filler.pending)
        rig.filler.deliver_all()
        done, about, sound_id, *rest = client.receive() or ()
        assert (done, about, tuple(rest)) == ("/gan808/done", address, more)
        assert trail in sound_id
        assert client.ask("/gan808/slot/BD/info")[1] == sound_id


class TestFailures:
    @pytest.mark.parametrize(("address", "values", "why"), [
        ("/gan808/nothing", (), "no such address"),
        ("/else/where", (1,), "begin with /gan808"),
        ("/gan808/trig", (), "takes s [f]"),
        ("/gan808/trig", ("XX", 1.0), "slot 'XX'"),
        ("/gan808/trig", ("BD", 1.5), "from 0 to 1"),
        ("/gan808/trig", ("BD", float("nan")), "from 0 to 1"),
        ("/gan808/slot/BD/level", ("loud",), "from 0 to 1"),
        ("/gan808/slot/17/level", (0.5,), "1 to 16"),
        ("/gan808/slot/BD/choke", (1.5,), "a whole number"),
        ("/gan808/evolve/mode", ("wild",), "one, all or fresh"),
        ("/gan808/play", ("s",), "pairs"),
        ("/gan808/slot/[/level", (), "wildcard"),
    ])
    def test_a_bad_message_is_answered_and_changes_nothing(
        self, rig: Rig, client: Client, address: str, values: tuple[object, ...], why: str
    ) -> None:
        before = len(rig.engine.commands)
        fail, about, reason = client.ask(address, *values)
        assert (fail, about) == ("/gan808/fail", address)
        assert why in reason
        assert "\n" not in reason
        assert len(rig.engine.commands) == before
        assert rig.osc.counters.failures == 1

    def test_a_bad_packet_is_counted_and_answered(self, rig: Rig, client: Client) -> None:
        client.raw(b"hello?")
        assert (client.receive() or ())[:2] == ("/gan808/fail", "")
        client.raw(message("/gan808/trig", ("b", b"blob")).dgram)
        assert (client.receive() or ())[:2] == ("/gan808/fail", "/gan808/trig")
        assert rig.osc.counters.bad_packets == 2

    def test_of_a_damaged_bundle_only_the_damage_falls(self, rig: Rig, client: Client) -> None:
        client.raw(bundle(0, message("/gan808/trig", "BD", 1.0)) + b"\0\0\0\7")
        assert (client.receive() or ())[0] == "/gan808/fail"
        client.settle()
        assert [hit.slot for hit in rig.played()] == [0]

    def test_a_flood_of_failures_is_answered_at_a_limited_rate(
        self, rig: Rig, client: Client
    ) -> None:
        began_s = time.monotonic()
        for count in range(100, 1001, 100):  # more at a time a full socket might drop
            for _ in range(100):
                client.raw(b"junk")
            until(lambda: rig.osc.counters.bad_packets == count)  # noqa: B023
        answers = sum(1 for _ in iter(lambda: client.receive(SILENCE_S), None))
        took_s = time.monotonic() - began_s
        # 200 at once and 100 a second.
        assert 200 <= answers <= 200 + 100 * took_s

    def test_answers_of_other_instruments_are_not_answered(self, client: Client) -> None:
        for address in ("/gan808/fail", "/gan808/late", "/gan808/done", "/gan808/synced"):
            client.send(address, "/gan808/trig", "no")
        assert client.receive(SILENCE_S) is None


class TestClients:
    def test_registered_clients_hear_of_changes(self, rig: Rig, client: Client) -> None:
        with Client(rig) as listener:
            assert listener.ask("/gan808/notify", 1) == ("/gan808/done", "/gan808/notify")
            client.send("/gan808/slot/SD/tune", -3.0)
            assert listener.receive() == ("/gan808/slot/SD/tune", -3.0)
            rig.stock("snare", 9)
            assert client.ask("/gan808/slot/SD/new")[0] == "/gan808/done"
            assert listener.receive() == ("/gan808/slot/SD/changed", "fake/snare/9", 9)
            assert listener.ask("/gan808/notify", 0) == ("/gan808/done", "/gan808/notify")
            client.send("/gan808/slot/SD/tune", 3.0)
            client.settle()
            assert listener.receive(SILENCE_S) is None

    def test_a_port_of_the_sender_s_host_can_be_registered(self, rig: Rig, client: Client) -> None:
        with Client(rig) as listener:
            client.send("/gan808/notify", 1, listener.port)
            assert listener.receive() == ("/gan808/done", "/gan808/notify")
            client.send("/gan808/evolve", 2.0)
            assert listener.receive() == ("/gan808/evolve", 2.0)
            client.send("/gan808/notify", 0, listener.port)
            assert listener.receive() == ("/gan808/done", "/gan808/notify")
            assert client.receive(SILENCE_S) is None

    def test_others_hear_nothing(self, rig: Rig, client: Client) -> None:
        client.send("/gan808/slot/SD/tune", -3.0)
        assert client.receive(SILENCE_S) is None

    def test_a_silent_client_expires(self, rig: Rig, client: Client) -> None:
        brief = OscServer(rig.machine, rig.settings, expiry_s=0.1)
        brief.start()
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
                listener.connect(brief.address)
                listener.settimeout(5.0)
                listener.send(message("/gan808/notify", 1).dgram)
                assert b"/gan808/done" in listener.recv(1024)
                time.sleep(0.15)
                client.send("/gan808/volume", 0.5)
                client.settle()
                listener.settimeout(SILENCE_S)
                with pytest.raises(TimeoutError):
                    listener.recv(1024)
        finally:
            brief.stop()

    def test_sync_keeps_its_number(self, client: Client) -> None:
        assert client.ask("/gan808/sync", -5) == ("/gan808/synced", -5)


class TestSocket:
    def test_a_taken_port_is_one_line_that_says_what_to_do(self, rig: Rig) -> None:
        port = rig.osc.address[1]
        second = OscServer(rig.machine, Settings().replace({"osc": {"port": port}}))
        with pytest.raises(DeviceError, match=rf"port {port} .*in use.*--osc") as refused:
            second.start()
        assert "\n" not in str(refused.value)
        second.stop()

    @pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
    def test_a_host_that_is_not_ours_is_one_line(self, rig: Rig, host: str) -> None:
        server = OscServer(rig.machine, Settings().replace({"osc": {"port": 0, "host": host}}))
        with pytest.raises(DeviceError, match=host) as refused:
            server.start()
        assert "\n" not in str(refused.value)
        server.stop()

    def test_stop_is_quick_frees_the_port_and_may_be_repeated(self, rig: Rig) -> None:
        address = rig.osc.address
        began_s = time.monotonic()
        rig.osc.stop()
        assert time.monotonic() - began_s < SOON_S
        rig.osc.stop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(address)

    def test_an_answer_while_it_is_closed_is_passed_over(self) -> None:
        """The machine's thread answers while another closes: between its look whether the socket
        is there and its use of it."""
        class Closing(OscSocket):
            def __getattribute__(self, name: str) -> object:
                found = super().__getattribute__(name)
                if name == "_socket":
                    self.close_once()
                return found

            def close_once(self) -> None:
                vars(self).pop("_socket").close()
                vars(self)["_socket"] = None

        closing = Closing("127.0.0.1", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            vars(closing)["_socket"] = bound
            closing.send(b"late", ("127.0.0.1", 9))
            assert vars(closing)["_socket"] is None

    def test_ipv6(self, rig: Rig) -> None:
        server = OscServer(rig.machine, Settings().replace({"osc": {"port": 0, "host": "::1"}}))
        try:
            server.start()
        except DeviceError as error:
            pytest.skip(f"no IPv6 here: {error}")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5.0)
            asking.sendto(message("/gan808/hello").dgram, server.address)
            assert b"/gan808/hello/reply" in asking.recv(1024)
        server.stop()


ADDRESSES = st.sampled_from([
    b"/gan808/trig\0\0\0\0", b"/gan808/slot/*/level\0\0\0\0", b"/gan808/play\0\0\0\0",
    b"#bundle\0" + struct.pack(">Q", 1), b"#bundle\0" + struct.pack(">Q", 2**63), b"/", b"",
])


def test_no_bytes_stop_the_server(rig: Rig, client: Client) -> None:
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ADDRESSES, st.binary(max_size=120))
    def attack(start: bytes, rest: bytes) -> None:
        client.raw(start + rest)

    attack()
    for values in itertools.product((0, -1, 2**31 - 1, 1e30, float("inf"), "", "BD"), repeat=2):
        for address in ("/gan808/trig", "/gan808/play", "/gan808/seq/step", "/gan808/slot/BD/new",
                        "/gan808/sync", "/gan808/notify", "/gan808/kit/load"):
            client.send(address, *values)
    client.bundle(2.08e9, message("/gan808/trig", "BD", 1.0))
    with Client(rig) as other:
        assert other.ask("/gan808/hello")[0] == "/gan808/hello/reply"


class TestManyClients:
    def test_the_sixty_fifth_client_is_heard(self, rig: Rig, client: Client) -> None:
        """Sixty-four that have come and gone shut nobody out."""
        for _ in range(64):
            with Client(rig) as dead:
                assert dead.ask("/gan808/notify", 1)[0] == "/gan808/done"
        assert client.ask("/gan808/notify", 1)[0] == "/gan808/done"
        client.send("/gan808/slot/BD/level", 0.5)
        assert client.receive() == ("/gan808/slot/BD/level", 0.5)

    @pytest.mark.skipif(sys.platform != "linux", reason="no other system tells")
    def test_a_port_that_is_closed_is_forgotten_and_the_others_are_told(
        self, rig: Rig, client: Client
    ) -> None:
        assert client.ask("/gan808/notify", 1)[0] == "/gan808/done"
        for _ in range(20):
            with Client(rig) as dead:
                assert dead.ask("/gan808/notify", 1)[0] == "/gan808/done"
        for step in range(1, 20):
            client.send("/gan808/slot/BD/level", step / 32)
            assert client.receive() == ("/gan808/slot/BD/level", step / 32)
        until(lambda: len(rig.osc._clients.current(time.monotonic())) == 1)
        client.send("/gan808/trig", "BD", 1.0)
        until(rig.played)
