"""Asks a running GAN-808 over OSC how it is doing. One socket, opened and closed here."""

from __future__ import annotations

import socket
import time
from typing import Any

from pythonosc.osc_message import OscMessage, ParseError
from pythonosc.osc_message_builder import OscMessageBuilder

from gan808.errors import DeviceError
from gan808.instrument.parameters import BY_ADDRESS

TIMEOUT_S = 1.0
MAX_PACKET_BYTES = 65535
ANY_HOST = ("0.0.0.0", "::", "")

STATUS = "/gan808/status.reply"
POOL = "/gan808/pool"
COUNTERS = "/gan808/counters"
STATUS_FIELDS = BY_ADDRESS["/status"].reply_names
COUNTER_FIELDS = BY_ADDRESS["/counters"].reply_names
# Questions whose one value is told under the name given; the address answers itself.
VALUES = {
    "/gan808/evolve": "evolve",
    "/gan808/seq/tempo": "tempo_bpm",
    "/gan808/seq/pattern": "pattern",
    "/gan808/seq/sync": "sync",
    "/gan808/seq/clock": "clock",
    "/gan808/scene": "scene",
    "/gan808/state": "state",
}


def ask_status(host: str, port: int, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """The daemon's state: STATUS_FIELDS, COUNTER_FIELDS, what VALUES name, stock: {class: sounds}.

    Raises DeviceError when nobody answers at that address in time.
    """
    target = ("127.0.0.1" if host in ANY_HOST else host, port)
    questions = ["/gan808/status", COUNTERS, POOL, *VALUES]
    missing = {STATUS, COUNTERS, POOL, *VALUES}
    answer: dict[str, Any] = {}
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect(target)
            for address in questions:
                asking.send(OscMessageBuilder(address).build().dgram)
            deadline = time.monotonic() + timeout_s
            while missing and (left_s := deadline - time.monotonic()) > 0:
                asking.settimeout(left_s)
                missing.discard(_take_in(asking.recv(MAX_PACKET_BYTES), answer))
    except OSError as error:  # a timeout, or "connection refused" told by ICMP
        if STATUS in missing:
            raise nobody(host, port) from error
    if STATUS in missing:
        raise nobody(host, port)
    return answer


def nobody(host: str, port: int) -> DeviceError:
    """What to say where no daemon answers."""
    return DeviceError(
        f"no GAN-808 answers at {host}:{port}; start one with `gan808 run`, or give --osc HOST:PORT"
    )


def _take_in(packet: bytes, answer: dict[str, Any]) -> str:
    """Add one reply to the answer and return its address; others' packets change nothing."""
    try:
        message = OscMessage(packet)
    except ParseError:
        return ""
    values = list(message.params)
    if message.address == STATUS and len(values) == len(STATUS_FIELDS):
        answer.update(zip(STATUS_FIELDS, values, strict=True))
    elif message.address == COUNTERS and len(values) == len(COUNTER_FIELDS):
        answer.update(zip(COUNTER_FIELDS, values, strict=True))
    elif message.address == POOL and len(values) % 2 == 0:
        answer["stock"] = dict(zip(values[::2], values[1::2], strict=True))
    elif message.address in VALUES and len(values) == 1:
        answer[VALUES[message.address]] = values[0]
    else:
        return ""
    return message.address
