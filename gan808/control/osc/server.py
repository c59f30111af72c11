"""OSC in and out over UDP: messages become machine requests, answers and events become messages.

`OscServer` owns the socket and one thread, `osc`, which decodes and hands on, nothing else.
Answers and events are sent from the machine's thread, which calls back. Bundles whose time is
near go to the engine with their exact frame; those further away wait in the thread's schedule.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from gan808 import __version__
from gan808.config import Settings
from gan808.control.osc.clients import Clients, Limit, Limits, Outstanding, Sender
from gan808.control.osc.packets import PacketError, Received, build_message, read_packet
from gan808.control.osc.times import Schedule, TagFrames, WallClock
from gan808.control.osc.udp_socket import MAX_DATAGRAM_BYTES, OscSocket
from gan808.control.osc.watch import PlaybackWatch
from gan808.control.oscquery.announcement import is_loopback
from gan808.engine.protocols import PortLike
from gan808.engine.trigger_fast_path import PLAYED, TriggerFastPath
from gan808.errors import Gan808Error, Guard
from gan808.instrument.addresses import Request, decode
from gan808.instrument.events import Event, ParameterChanged, SoundChanged
from gan808.instrument.parameter import ROOT, Kind, Value
from gan808.realtime import request_realtime

if TYPE_CHECKING:
    from gan808.instrument.machine import Machine

API_VERSION = 1
# A bundle is handed to the engine this long before it is due: late enough to keep the engine's
# queue short, early enough that the thread may oversleep.
AHEAD_S = 0.1
# Without a datagram, so long until the thread looks whether it is to stop.
WAIT_S = 0.2
FAILURE_S = 0.05
# A sequencer sends a second or two ahead; who sends further has another clock. Told once a minute.
MAX_AHEAD_S = 10.0
CLOCK_HZ = 1 / 60
LATEST_MS = 1e6
MAX_WAITING = 4096
# What one datagram may ask for, its wildcards counted out: more would hold up the next note.
MAX_REQUESTS = 2048
MAX_TEXT = 400
# A sender's address is easily forged. Beyond this machine nobody is sent more than this, so that
# asking in somebody's name does not bury them in answers.
REMOTE_HZ, REMOTE_BURST = 500.0, 1000
FAILS_HZ, FAILS_BURST = 100.0, 200
# What instruments send, never ask: answering it would let two of them talk for ever.
ANSWERS = frozenset(
    f"{ROOT}/{name}" for name in ("fail", "late", "warning", "done", "synced", "hello/reply",
                                  "status.reply")
)

# TidalCycles waits for SuperDirt to answer this before it counts as connected. The buses are those
# of a synthesis server; we have none, and an empty list would be taken for no answer.
GREETINGS: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "/dirt/hello": ("/dirt/hello/reply", ()),
    "/dirt/handshake": ("/dirt/handshake/reply", ("&controlBusIndices", 0)),
}

log = logging.getLogger("gan808")


@dataclass(slots=True)
class OscCounters:
    """What has come in since the start. Written by the OSC thread."""

    packets: int = 0
    bad_packets: int = 0
    failures: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, its full address and who sent it."""

    request: Request
    address: str
    sender: Sender


class _Played:
    """The port of a hit that was already played."""

    def trigger(self, *_: float, **__: float) -> bool:
        """Done."""
        return True


_PLAYED = cast("PortLike", _Played())


class OscServer:
    """The OSC side of a machine, from start to stop."""

    def __init__(self, machine: Machine, settings: Settings, *, expiry_s: float = 300.0) -> None:
        self.counters = OscCounters()
        self._machine = machine
        self._port = machine.engine.port("osc")
        self._socket = OscSocket(settings.osc.host, settings.osc.port)
        self._clients = Clients(expiry_s=expiry_s)
        self._watch = PlaybackWatch(
            machine.engine, machine.sequencer, lambda: machine.codes, self._tell)
        self._fails = Limits(FAILS_HZ, FAILS_BURST)
        self._remote = Limits(REMOTE_HZ, REMOTE_BURST)
        self._clocks = Limits(CLOCK_HZ, 1)
        self._log_lines = Limit(rate_hz=0.2, burst=5)
        self._outstanding = Outstanding(MAX_WAITING)
        self._wall = WallClock()
        self._tags = TagFrames(machine.engine.clock, machine.engine.sample_rate_hz)
        self._schedule = Schedule(MAX_WAITING)
        self._fast_path: TriggerFastPath | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="osc", daemon=True)
        self._unsubscribe = machine.subscribe(self._on_event)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port listened on, once started."""
        return self._socket.address

    def start(self) -> None:
        """Bind and begin to answer. Raises DeviceError, one line, when the port is taken."""
        self._socket.open()
        self._fast_path = self._socket.fast_path(self._port)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port; safe to call twice, or without start."""
        self._stopping.set()
        self._unsubscribe()
        self._watch.stop()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        self._socket.close()

    # The OSC thread

    def _run(self) -> None:
        request_realtime()
        # What is wrong with the socket may be so at once, every time.
        guard = Guard("OSC", lambda _: self._stopping.wait(FAILURE_S))
        while not self._stopping.is_set():
            with guard:
                self._listen()

    def _listen(self) -> None:
        """Wait for one datagram, act on it and on what is due."""
        wait_s = self._schedule.wait_s(time.monotonic(), WAIT_S)
        port = self._port
        if self._fast_path is not None:
            found = self._fast_path.wait(self._machine.codes, wait_s)
            port, wait_s = _PLAYED if found == PLAYED else port, 0.0
        received = self._socket.receive(wait_s)
        if received is not None:
            self._receive(*received, port)
        for client in self._socket.unreachable():
            self._clients.remove(client)
        self._schedule.run_due(time.monotonic())

    def _receive(self, datagram: bytes, sender: Sender, port: PortLike | None = None) -> None:
        """Act on a datagram; live messages of now go to the port, ours where none is given."""
        self.counters.packets += 1
        now_s = time.monotonic()
        self._clients.renew(sender, now_s)
        self._watch.renew(sender, now_s)
        late_told, left = False, MAX_REQUESTS
        for message in read_packet(datagram):
            if isinstance(message, PacketError):
                self.counters.bad_packets += 1
                self._fail(message.address, message, sender)
                continue
            if left <= 0:
                why = f"a packet may ask for {MAX_REQUESTS} things; from here on nothing is done"
                self._fail(message.address, Gan808Error(why), sender)
                break
            due_s = None
            if message.due_unix_s is not None:
                due_s = self._wall.monotonic_at(message.due_unix_s)
            if due_s is not None and due_s < now_s:
                self.counters.late += 1
                if not late_told:
                    late_ms = min(1000 * (now_s - due_s), LATEST_MS)
                    self._send("/late", (message.address, late_ms), sender)
                late_told, due_s = True, None
            elif due_s is not None and due_s > now_s + MAX_AHEAD_S:
                self._warn_of_clock(message.address, due_s - now_s, sender, now_s)
                due_s = None
            with Guard(message.address, partial(self._fail, message.address, sender=sender)):
                left -= self._accept(message, due_s, sender, port or self._port)
            # A large packet must not hold up what is due meanwhile.
            self._schedule.run_due(time.monotonic())

    def _warn_of_clock(self, address: str, ahead_s: float, sender: Sender, now_s: float) -> None:
        """Tell a sender whose clock is ahead, at a limited rate, that its bundles are done at
        once."""
        if self._clocks.allows(sender[0], now_s):
            why = f"your clock is {ahead_s:.0f} s ahead; its bundles are done at once"
            self._send("/warning", (address[:MAX_TEXT], why), sender)
            log.warning("OSC from %s: its clock is %.0f s ahead; done at once", sender[0], ahead_s)

    def _accept(
        self, message: Received, due_s: float | None, sender: Sender, port: PortLike
    ) -> int:
        """Check a message and act on it, now or when it is due; how many things it asked for."""
        if message.address in ANSWERS:
            return 1
        if message.address in GREETINGS:
            self._send_at(*GREETINGS[message.address], sender)
            return 1
        codes = self._machine.codes
        try:
            requests = decode(message.address, message.arguments, codes)
        except Gan808Error as error:
            self._fail(message.address, error, sender)
            return 1
        for request in requests:
            asked = _Asked(request, request.address(codes), sender)
            if request.parameter.kind is Kind.CLIENT:
                self._answer_client(asked)
            elif request.parameter.kind is Kind.LIVE:
                self._play(asked, due_s, port)
            else:
                self._submit(asked, due_s)
        return len(requests)

    def _play(self, asked: _Asked, due_s: float | None, port: PortLike) -> None:
        if due_s is None or due_s <= time.monotonic() + AHEAD_S:
            self._hand_on(asked, due_s, port)
        elif not self._schedule.put(
            due_s - AHEAD_S, partial(self._hand_on, asked, due_s, port), asked.sender
        ):
            why = f"{MAX_WAITING} messages wait already; is the sender's clock right?"
            self._fail_asked(asked, Gan808Error(why))

    def _hand_on(self, asked: _Asked, due_s: float | None, port: PortLike) -> None:
        refused = partial(self._fail_asked, asked)
        self._machine.handle(
            asked.request, port, self._frame_at(due_s),
            reply=lambda result: refused(result) if isinstance(result, Gan808Error) else None,
        )

    def _submit(self, asked: _Asked, due_s: float | None) -> None:
        """Put a command on the machine's thread, which keeps those that are not yet due."""
        ticket = self._outstanding.begin(asked.sender)
        if ticket is None:
            why = f"{MAX_WAITING} commands are under way already; wait for their answers"
            self._fail_asked(asked, Gan808Error(why))
            return
        self._machine.handle(
            asked.request, self._port, self._frame_at(due_s),
            reply=partial(self._answer, asked, ticket),
        )

    def _frame_at(self, due_s: float | None) -> int:
        # Frame 0 means now, so what is due before the stream began is due at its first frame.
        return 0 if due_s is None else self._tags.frame_at(due_s)

    def _answer_client(self, asked: _Asked) -> None:
        """Carry out a row of kind CLIENT: it concerns this server and its client, not the
        machine."""
        row, sender = asked.request.parameter, asked.sender
        if row.address == "/hello":
            self._send(row.reply_address, (__version__, API_VERSION), sender)
        elif row.address == "/sync":
            synced = partial(self._send, row.reply_address, asked.request.values, sender)
            if not self._outstanding.when_done(sender, synced):
                self._fail_asked(asked, Gan808Error("too many /sync wait already"))
        elif row.address == "/watch":
            self._watch.set(sender, bool(asked.request.values[0]))
            self._send(row.reply_address, (asked.address,), sender)
        else:
            self._register(asked)

    def _register(self, asked: _Asked) -> None:
        """/notify: the sender, or another port of the sender's host, comes or goes."""
        on, *port = asked.request.values
        client = (asked.sender[0], *port, *asked.sender[2:]) if port else asked.sender
        if not on:
            self._clients.remove(client)
        else:
            self._clients.add(client, asked.sender, time.monotonic())
        self._send(asked.request.parameter.reply_address, (asked.address,), client)

    # The machine thread, which calls back

    def _answer(
        self, asked: _Asked, ticket: int, result: tuple[Value | bytes, ...] | Gan808Error
    ) -> None:
        row = asked.request.parameter
        if isinstance(result, Gan808Error):
            self._fail_asked(asked, result)
        elif row.kind is Kind.ACTION:
            self._send(row.reply_address, (asked.address, *result), asked.sender)
        elif row.kind is Kind.QUERY or is_get(asked.request):
            address = row.reply_address or asked.address.removeprefix(ROOT)
            self._send(address, result, asked.sender)
        self._outstanding.end(ticket)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ParameterChanged):
            self._tell_clients(event.address, event.values)
        elif isinstance(event, SoundChanged):
            self._tell_clients(f"/slot/{event.code}/changed", (event.id, event.seed))

    def _tell_clients(self, address: str, values: Sequence[Value]) -> None:
        self._tell(address, values, self._clients.current(time.monotonic()))

    def _tell(self, address: str, values: Sequence[object], receivers: Sequence[Sender]) -> None:
        for client in receivers:
            self._send(address, values, client)

    # Either thread

    def _fail_asked(self, asked: _Asked, error: Gan808Error) -> None:
        self._fail(asked.address, error, asked.sender)

    def _fail(self, address: str, error: Gan808Error, sender: Sender) -> None:
        """Tell the sender, at a limited rate, and the log, at a lower one."""
        self.counters.failures += 1
        now_s = time.monotonic()
        if self._fails.allows(sender[0], now_s):
            self._send("/fail", (address[:MAX_TEXT], str(error)[:MAX_TEXT]), sender)
        if self._log_lines.allows(now_s):
            log.info("OSC from %s: %a: %a", sender[0], address[:80], str(error)[:MAX_TEXT])

    def _send(self, address: str, values: Sequence[object], sender: Sender) -> None:
        """Send one message; `address` is after /gan808."""
        self._send_at(f"{ROOT}{address}", values, sender)

    def _send_at(self, address: str, values: Sequence[object], sender: Sender) -> None:
        """Send one message. What cannot be sent is logged; too much for a remote host is not."""
        now_s = time.monotonic()
        if not is_loopback(sender[0]) and not self._remote.allows(sender[0], now_s):
            return
        try:
            datagram = build_message(address, values)
        except PacketError as error:
            if self._log_lines.allows(now_s):
                log.warning("OSC answer %s: %s", address, error)
            return
        if len(datagram) <= MAX_DATAGRAM_BYTES:
            self._socket.send(datagram, sender)


def is_get(request: Request) -> bool:
    """Whether a request for a value row leaves the value out, and so asks for it."""
    row = request.parameter
    given = len(request.values) + (request.slot is not None and not row.per_slot)
    return row.kind is Kind.VALUE and given < len(row.arguments)
