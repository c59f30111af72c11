"""The web process: `python -m gan808.control.web` with a listening socket and OSC's address.

Started and ended by process.py. Its standard input is the player's life: it ends when that does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys

from gan808 import paths
from gan808.control.web.server import WebServer

NICENESS = 5  # the sound and the renderer of the player come first


async def serve(descriptor: int, osc_address: tuple[str, int]) -> None:
    """Serve on the socket of that number until standard input ends."""
    server = WebServer(osc_address, paths.imports_folder(), paths.training_page_file())
    await server.start(socket.socket(fileno=descriptor))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    await server.stop()


def main() -> None:
    """Arguments: the descriptor of the socket, OSC's host, OSC's port."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the player's
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    descriptor, host, port = sys.argv[1:4]
    asyncio.run(serve(int(descriptor), (host, int(port))))


if __name__ == "__main__":
    main()
