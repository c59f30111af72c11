"""SuperCollider's server as a rival: started without a screen, given one synth by hand.

The synth is the least there is to hear: a line that falls from 1, so its first sample is its onset.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pythonosc.osc_message_builder import OscMessageBuilder

from benchmarks.support.jack import RATE_HZ, Environment, end

PORT = 57_171
STARTS_WITHIN_S = 30.0
AUDIO_RATE = 2
FIRST_NODE = 1000


def message(address: str, *arguments: object) -> bytes:
    """One OSC message."""
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)  # type: ignore[arg-type]
    return builder.build().dgram


def synth_definition() -> bytes:
    """The synth "hit", as a file of SuperCollider's synth definitions, version 1: Out.ar(0, two of
    Line.ar(1, 0, 0.05), doneAction: 2)."""

    def text(name: str) -> bytes:
        return bytes([len(name)]) + name.encode()

    def unit(name: str, inputs: list[tuple[int, int]], outputs: int) -> bytes:
        head = text(name) + struct.pack(">bhhh", AUDIO_RATE, len(inputs), outputs, 0)
        return head + b"".join(struct.pack(">hh", *each) for each in inputs) + bytes(
            [AUDIO_RATE]) * outputs

    constants = (1.0, 0.0, 0.05, 2.0)
    units = [unit("Line", [(-1, 0), (-1, 1), (-1, 2), (-1, 3)], 1),
             unit("Out", [(-1, 1), (0, 0), (0, 0)], 0)]
    body = struct.pack(">h4f", len(constants), *constants) + struct.pack(">hh", 0, 0)
    body += struct.pack(">h", len(units)) + b"".join(units)
    return b"SCgf" + struct.pack(">ih", 1, 1) + text("hit") + body


@contextmanager
def scsynth(environment: Environment) -> Iterator[socket.socket]:
    """scsynth on JACK with its synth loaded; a socket that is connected to it."""
    process = subprocess.Popen(
        ["scsynth", "-u", str(PORT), "-S", str(RATE_HZ), "-i", "0", "-o", "2", "-D", "0",
         "-R", "0"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", PORT))
            client.settimeout(0.2)
            ask(client, message("/d_recv", synth_definition()), b"/done")
            yield client
    finally:
        end(process)


def ask(client: socket.socket, packet: bytes, answer: bytes) -> None:
    """Sends until it is answered like that. Raises RuntimeError."""
    until_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until_s:
        try:
            client.send(packet)
            if client.recv(65_536).startswith(answer):
                return
        except OSError:  # not there yet
            time.sleep(0.1)
    raise RuntimeError("scsynth does not answer")


def new_synth(node: int) -> bytes:
    """The message that plays the synth once."""
    return message("/s_new", "hit", FIRST_NODE + node, 0, 0)
