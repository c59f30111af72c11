"""From an OSC hit to its sound, on JACK: with ten panels open against none.

    python benchmarks/panel.py [--count 120] [--repeats 3] [--panels 10] [--period 256]

A pattern plays unheard, so that panels are told of hits and of the playhead; a hit's way goes
through the socket and the engine's ring, where a panel could be in it. Panels are WebSockets in a
process of their own that say and hear what the page does: what a browser draws happens on another
machine. With and without come in turn, on one instrument. Printed: the medians and the ratio with /
without; status 1 above 1.05.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.latency import our_attack
from benchmarks.osc import delays_ms, instrument, line, spaced, sync
from benchmarks.support import jack
from benchmarks.support.listening import build_listener
from benchmarks.support.scsynth import message
from gan808.sound.kit.slots import TR808

MOST_RATIO = 1.05
PING_S = 2.0
PINGS = (("/notify", 1), ("/watch", 1), ("/status", 1), ("/record",), ("/hello",))


async def open_panels(port: int, number: int) -> None:
    """So many panels, until standard input ends; says how many it has, then what they heard."""
    import aiohttp

    heard = [0]

    async def listen(page: aiohttp.ClientWebSocketResponse) -> None:
        async for _ in page:
            heard[0] += 1

    async def ping(page: aiohttp.ClientWebSocketResponse) -> None:
        await page.send_bytes(message("/gan808/snapshot"))
        while True:
            for name, *values in PINGS:
                await page.send_bytes(message(f"/gan808{name}", *values))
            await asyncio.sleep(PING_S)

    async with aiohttp.ClientSession() as session:
        pages = [await session.ws_connect(f"http://127.0.0.1:{port}/") for _ in range(number)]
        tasks = [asyncio.create_task(work(page)) for page in pages for work in (listen, ping)]
        print(number, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(heard[0], flush=True)
        for task in tasks:
            task.cancel()


@contextmanager
def panels(port: int, number: int) -> Iterator[None]:
    """That, in a process of its own. Raises RuntimeError where they heard nothing."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(port), "--panels", str(number)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline().strip() != str(number):
            raise RuntimeError("the panels did not open")
        yield
        process.stdin.close()
        if int(process.stdout.readline()) < number * 100:
            raise RuntimeError("the panels heard too little")
    finally:
        jack.end(process)


def compare(listener: Path, period: int, count: int, repeats: int, number: int) -> float:
    """With and without, in turn; the ratio of the medians."""
    attack, hit = our_attack(), message("/gan808/trig", "BD", 1.0)
    delays: dict[int, list[float]] = {0: [], number: []}
    xruns = dict.fromkeys(delays, 0)
    with jack.jack_server(period) as environment, instrument(environment) as client:
        port = client.getpeername()[1]
        client.send(message("/gan808/seq/pattern", "house"))
        client.send(message("/gan808/seq/play"))
        sync(client, 1)
        client.send(message("/gan808/seq/clear", "BD"))
        for slot in TR808:
            if slot.code != "BD":
                client.send(message(f"/gan808/slot/{slot.code}/level", 0.0))
        sync(client, 2)
        for open_now in [0, number] * repeats:
            with panels(port, number) if open_now else nullcontext():
                heard = spaced(
                    listener, environment, "gan808", client, lambda _: hit, count, period)
            delays[open_now] += delays_ms(heard, heard.sent, attack)
            xruns[open_now] += heard.xruns
    print(f"{period} frames a block, {jack.RATE_HZ} Hz, {count * repeats} hits each")
    for open_now, found in delays.items():
        print(line(f"{open_now} panels", found, xruns[open_now]))
    return statistics.median(delays[number]) / statistics.median(delays[0])


def main() -> int:
    """The figure, or with --serve the panels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--panels", type=int, default=10)
    parser.add_argument("--period", type=int, default=256)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(open_panels(options.serve, options.panels))
        return 0
    if missing := jack.needed("jackd", "cc"):
        print(f"skipped: {missing} is missing")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        ratio = compare(build_listener(Path(folder)), options.period, options.count,
                        options.repeats, options.panels)
    print(f"  ratio with / without: {ratio:.3f}")
    return int(ratio > MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
