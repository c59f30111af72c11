"""Another program that storms a server over UDP and plays hits in between: run by the storm's test.

    python -m tests.control.storm_sender PORT SEED PACKETS

Every 25 ms a bundle with one hit, due 0.4 s later; meanwhile the storm, as fast as the server takes
it in: what a full socket drops proves nothing. Prints a line for each hit, its time and when it was
sent, both in Unix seconds.
"""

from __future__ import annotations

import socket
import sys
import threading
import time

from tests.control.rig import bundle, message
from tests.control.storm import Storm

AHEAD_S, APART_S = 0.4, 0.025
# The storm never sends velocities like these, each of which a float32 holds exactly.
FIRST_HIT, HIT_STEP = 0.8125, 2.0 ** -16
TOGETHER = 25  # packets between two questions whether they have been taken in
HELLO = message("/gan808/hello").dgram


def number_of(velocity: float) -> int | None:
    """Which hit a velocity belongs to, from 0 on; None when the storm sent it."""
    number = (velocity - FIRST_HIT) / HIT_STEP
    return int(number) if number >= 0 and number.is_integer() and velocity < 1.0 else None


def main(port: int, seed: int, packets: int) -> list[tuple[float, float]]:
    """Send it all; when each hit was due, and when it was sent."""
    storm, sent, over = Storm(seed), list[tuple[float, float]](), threading.Event()
    stormy, asking, playing = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
    for each in (stormy, asking, playing):
        each.connect(("127.0.0.1", port))
    asking.settimeout(30.0)

    def play() -> None:
        start_s = time.time() + AHEAD_S
        while not over.is_set():
            due_s = start_s + APART_S * len(sent)
            velocity = FIRST_HIT + HIT_STEP * len(sent)
            playing.send(bundle(due_s, message("/gan808/trig", "CP", velocity)))
            sent.append((due_s, time.time()))
            over.wait(max(0.0, due_s + APART_S - AHEAD_S - time.time()))

    player = threading.Thread(target=play)
    player.start()
    for number in range(packets):
        stormy.send(storm.datagram())
        if number % TOGETHER == 0:
            asking.send(HELLO)
            asking.recv(65536)  # the server reads in order, so it has read all before
    over.set()
    player.join()
    return sent


if __name__ == "__main__":
    for due_s, sent_s in main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])):
        sys.stdout.write(f"{due_s!r} {sent_s!r}\n")
