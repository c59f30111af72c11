"""The OSC server with Pure Data: `[oscformat]` into `[netsend -u -b]`, answers and events through
`[oscparse]`, as in a patch that a player draws.
"""

from __future__ import annotations

import queue
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.control.rig import Client, Rig, until
from tests.timing import WITHIN_S

pytestmark = pytest.mark.skipif(
    shutil.which("pd") is None,
    reason="pd of puredata-core is not installed: no test with Pure Data",
)

# Sends each message to the instrument, 100 ms after the one before; prints what comes back and
# what comes in on a port of its own.
SENDING = [
    "obj 10 10 loadbang", "msg 10 40 connect 127.0.0.1 {port}", "obj 10 200 netsend -u -b",
    "obj 10 230 oscparse", "obj 10 260 print answer", "obj 300 200 netreceive -u -b {own}",
    "obj 300 230 oscparse", "obj 300 260 print event", "obj 10 120 list prepend send",
    "obj 10 150 list trim",
]
WIRES = [(0, 1), (1, 2), (2, 3, 1), (3, 4), (5, 6), (6, 7), (8, 9), (9, 2)]


def patch(port: int, own: int, messages: Sequence[tuple[str, str]]) -> str:
    """A patch's text; messages: (what oscformat is given, what a message box holds)."""
    boxes = [box.format(port=port, own=own) for box in SENDING]
    wires = [(wire[0], wire[2] if len(wire) > 2 else 0, wire[1]) for wire in WIRES]
    for number, (address, values) in enumerate(messages, 1):
        at = len(boxes)
        boxes += [f"obj 10 300 delay {100 * number}", f"msg 10 330 {values}",
                  f"obj 10 360 oscformat {address}"]
        wires += [(0, 0, at), (at, 0, at + 1), (at + 1, 0, at + 2), (at + 2, 0, 8)]
    lines = ["#N canvas 0 0 600 400 12", *(f"#X {box}" for box in boxes),
             *(f"#X connect {start} {outlet} {end} 0" for start, outlet, end in wires)]
    return "".join(f"{line};\n" for line in lines)


@contextmanager
def pure_data(folder: Path, text: str) -> Iterator[queue.Queue[str]]:
    """Pd with a patch open, and the lines it prints."""
    path = folder / "patch.pd"
    path.write_text(text, encoding="ascii")
    lines: queue.Queue[str] = queue.Queue()
    with subprocess.Popen(
        ["pd", "-nogui", "-noaudio", "-nomidi", "-noprefs", "-stderr", str(path)], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        reader = threading.Thread(
            target=lambda: [lines.put(line.rstrip()) for line in process.stdout], daemon=True)
        reader.start()
        try:
            yield lines
        finally:
            process.kill()
            process.wait(10)
            reader.join(10)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_patch_plays_and_sets(rig: Rig, tmp_path: Path) -> None:
    text = patch(rig.osc.address[1], free_port(), [
        ("gan808 trig", "list BD 0.5"), ("gan808 trig", "list 2 1"),
        ("gan808 slot CH pan", "-0.25"), ("gan808 evolve mode", "symbol all"),
        ("gan808 slot [LMH]T tune", "7"),
    ])
    with pure_data(tmp_path, text), Client(rig) as client:
        until(lambda: rig.osc.counters.packets == 5, WITHIN_S)
        client.settle()
        assert [(hit.slot, hit.value) for hit in rig.played()] == [(0, 0.5), (1, 1.0)]
        assert client.ask("/gan808/slot/CH/pan")[1] == -0.25
        assert client.ask("/gan808/evolve/mode")[1] == "all"
        assert [client.ask(f"/gan808/slot/{code}/tune")[1] for code in ("LT", "HT")] == [7.0, 7.0]
    assert rig.osc.counters.failures == 0


def test_a_patch_reads_answers(rig: Rig, tmp_path: Path) -> None:
    """Out of the second outlet of [netsend]: a get, a query, an action, a refusal."""
    rig.stock("snare", 7)
    text = patch(rig.osc.address[1], free_port(), [
        ("gan808 slot BD level", "bang"), ("gan808 slot SD new", "bang"),
        ("gan808 slot SD info", "bang"), ("gan808 trig", "list XX 1"), ("gan808 sync", "3"),
    ])
    with pure_data(tmp_path, text) as lines:
        answers = [lines.get(timeout=WITHIN_S) for _ in range(5)]
    assert answers[0].startswith("answer: list gan808 slot BD level 0.8")
    assert answers[1] == "answer: list gan808 done /gan808/slot/SD/new fake/snare/7"
    assert answers[2].startswith("answer: list gan808 slot SD info fake/snare/7 7 snare 0.9")
    assert answers[3].startswith("answer: list gan808 fail /gan808/trig slot")
    assert answers[4] == "answer: list gan808 synced 3"


def test_a_patch_hears_of_changes(rig: Rig, tmp_path: Path) -> None:
    """On a port of its own, which it registered."""
    rig.stock("kick", 5)
    own = free_port()
    text = patch(rig.osc.address[1], own, [("gan808 notify", f"list 1 {own}")])
    with pure_data(tmp_path, text) as lines, Client(rig) as client:
        assert lines.get(timeout=WITHIN_S) == "event: list gan808 done /gan808/notify"
        client.send("/gan808/slot/SD/pan", -0.5)
        client.send("/gan808/slot/BD/new")
        assert lines.get(timeout=WITHIN_S) == "event: list gan808 slot SD pan -0.5"
        assert lines.get(timeout=WITHIN_S) == "event: list gan808 slot BD changed fake/kick/5 5"
