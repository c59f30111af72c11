"""Another program that storms a server over UDP and plays hits in between: run by the storm's test.

    python -m tests.control.storm_sender PORT SEED PACKETS HIT_VELOCITY

Every 25 ms a bundle with one hit, due 0.4 s later; meanwhile the storm, as fast as the server takes
it in: what a full socket drops proves nothing. Prints the hits' times, Unix seconds, one a line.
"""

from __future__ import annotations

import socket
import sys
import threading
import time

from tests.control.rig import bundle, message
from tests.control.storm import Storm

AHEAD_S, APART_S = 0.4, 0.025
TOGETHER = 25  # packets between two questions whether they have been taken in
HELLO = message("/gan808/hello").dgram


def main(port: int, seed: int, packets: int, velocity: float) -> list[float]:
    """Send it all; when the hits were due."""
    storm, tags_s, over = Storm(seed), [], threading.Event()
    stormy, asking, playing = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
    for each in (stormy, asking, playing):
        each.connect(("127.0.0.1", port))
    asking.settimeout(30.0)

    def play() -> None:
        start_s = time.time() + AHEAD_S
        while not over.is_set():
            tags_s.append(start_s + APART_S * len(tags_s))
            playing.send(bundle(tags_s[-1], message("/gan808/trig", "CP", velocity)))
            over.wait(max(0.0, tags_s[-1] + APART_S - AHEAD_S - time.time()))

    player = threading.Thread(target=play)
    player.start()
    for number in range(packets):
        stormy.send(storm.datagram())
        if number % TOGETHER == 0:
            asking.send(HELLO)
            asking.recv(65536)  # the server reads in order, so it has read all before
    over.set()
    player.join()
    return tags_s


if __name__ == "__main__":
    for tag_s in main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])):
        sys.stdout.write(f"{tag_s!r}\n")
