"""Asks a running GAN-808 over OSC how it is doing."""

from __future__ import annotations

import time
from typing import Any

from pythonosc.osc_message import OscMessage

from gan808.control.osc.client import OscClient
from gan808.instrument.parameters import BY_ADDRESS

TIMEOUT_S = 1.0

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
    missing = {STATUS, COUNTERS, POOL, *VALUES}
    answer: dict[str, Any] = {}
    with OscClient(host, port) as client:
        for address in ("/gan808/status", COUNTERS, POOL, *VALUES):
            client.send(address)
        deadline_s = time.monotonic() + timeout_s
        while missing and (message := client.receive(deadline_s)) is not None:
            missing.discard(_take_in(message, answer))
        if STATUS in missing:
            raise client.nobody()
    return answer


def _take_in(message: OscMessage, answer: dict[str, Any]) -> str:
    """Add one reply to the answer and return its address; others' packets change nothing."""
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
