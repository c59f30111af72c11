"""Plays a bar on a running GAN-808, asks for a new snare and prints what the machine says.

Needs python-osc, which GAN-808 brings, and a running GAN-808:

    gan808 run --pattern off          # in one terminal
    python examples/osc_client.py     # in another

Hits are sent ahead in bundles with a time tag, so their timing is exact to the sample however late
this program's own clock is.
"""

from __future__ import annotations

import argparse
import socket
import time

from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

BAR = {
    "BD": "X.....x...x.....",
    "SD": "....X.......X..x",
    "CH": "x.x.x.x.x.x.x.x.",
}
VELOCITIES = {"X": 1.0, "x": 0.6}


def message(address: str, *arguments: str | float | int) -> OscMessage:
    """An OSC message with arguments of the types they have in Python."""
    builder = OscMessageBuilder(address=address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build()


def bundle_at(when_s: float, messages: list[OscMessage]) -> OscBundle:
    """Messages that take effect together at when_s, in seconds of time.time()."""
    builder = OscBundleBuilder(when_s)
    for one in messages:
        builder.add_content(one)
    return builder.build()


def play_bar(client: socket.socket, tempo_bpm: float) -> float:
    """Send one bar of sixteenths, starting in 0.2 s; return when it ends, as of time.time()."""
    step_s = 60 / tempo_bpm / 4
    start_s = time.time() + 0.2
    for step in range(16):
        hits = [message("/gan808/trig", slot, VELOCITIES[line[step]])
                for slot, line in BAR.items() if line[step] in VELOCITIES]
        if hits:
            client.send(bundle_at(start_s + step * step_s, hits).dgram)
    return start_s + 16 * step_s


def print_replies(client: socket.socket, until_s: float) -> None:
    """Print every message that comes back until then."""
    while (left_s := until_s - time.time()) > 0:
        client.settimeout(left_s)
        try:
            reply = OscMessage(client.recv(65536))
        except TimeoutError:
            return
        print(reply.address, *reply.params)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8808)
    parser.add_argument("--bars", type=int, default=2)
    parser.add_argument("--tempo", type=float, default=108.0)
    given = parser.parse_args()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((given.host, given.port))
        client.send(message("/gan808/notify", 1).dgram)
        try:
            for _ in range(given.bars):
                client.send(message("/gan808/slot/SD/new").dgram)
                print_replies(client, play_bar(client, given.tempo))
            client.send(message("/gan808/notify", 0).dgram)
        except ConnectionRefusedError:
            raise SystemExit(
                f"nothing listens on {given.host}:{given.port}: start `gan808 run` first"
            ) from None


if __name__ == "__main__":
    main()
