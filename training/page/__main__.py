"""The page's process: `python -m training.page` with a listening socket, the run and its title.

Started and ended by reporter.py. Its standard input is what the training command says, and its
life: it ends when that does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

from .server import PageServer

NICENESS = 10  # training comes first


async def serve(descriptor: int, run: Path, title: str) -> None:
    """Serve on the socket of that number until standard input ends."""
    server = PageServer(run, title)
    await server.start(socket.socket(fileno=descriptor))
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        server.hear(line)
    await server.stop()


def main() -> None:
    """Arguments: the descriptor of the socket, the run's folder, what to call it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the training's
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    descriptor, run, title = sys.argv[1:4]
    asyncio.run(serve(int(descriptor), Path(run), title))


if __name__ == "__main__":
    main()
