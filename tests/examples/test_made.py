"""The examples that are made from the tables: not stale, well formed, and asking only for what is
there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gan808.instrument.addresses import decode
from gan808.instrument.parameter import ROOT, SLOT, Kind
from gan808.instrument.parameters import BY_ADDRESS
from gan808.sound.kit.slots import TR808

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLES = CHECKOUT / "examples"
CODES = [slot.code for slot in TR808]
# A zlib that is not zlib (zlib-ng, as some systems have) packs the same text into other bytes.
SAME_ZLIB = "ng" not in zlib.ZLIB_RUNTIME_VERSION


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what docs/make_examples writes now."""
    folder = tmp_path_factory.mktemp("made")
    subprocess.run([sys.executable, "docs/make_examples", str(folder)], cwd=CHECKOUT, check=True,
                   timeout=60, stdout=subprocess.DEVNULL)
    return folder


@pytest.mark.parametrize(
    "name", ["touchosc.tosc", "max.maxpat", "puredata.pd", "drum-rack-notes.md"])
def test_what_is_there_is_what_would_be_written(made: Path, name: str) -> None:
    now, there = (folder.joinpath(name).read_bytes() for folder in (made, EXAMPLES))
    if name.endswith(".tosc") and not SAME_ZLIB:
        now, there = zlib.decompress(now), zlib.decompress(there)
    assert now == there, "old: run `python docs/make_examples`"


def row_of(address: str) -> str:
    """The table's row of a full address, with its slot's code checked."""
    assert address.startswith(ROOT)
    found = re.fullmatch(r"/slot/([A-Z]{2})/(\w+)", address.removeprefix(ROOT))
    if found is None:
        return address.removeprefix(ROOT)
    assert found[1] in CODES
    return f"/slot/{SLOT}/{found[2]}"


class TestTouchOSC:
    root = ET.fromstring(zlib.decompress((EXAMPLES / "touchosc.tosc").read_bytes()))

    def nodes(self) -> Iterator[ET.Element]:
        yield from self.root.iter("node")

    def properties(self, node: ET.Element) -> dict[str, ET.Element]:
        return {str(each.findtext("key")): each.find("value")  # type: ignore[misc]
                for each in node.findall("properties/property")}

    def messages(self) -> list[ET.Element]:
        return list(self.root.iter("osc"))

    def arguments(self, message: ET.Element) -> list[object]:
        """What it sends: constants, and the middle of what a fader goes through."""
        sent: list[object] = []
        kinds = {"STRING": str, "INTEGER": int, "FLOAT": float}
        for partial in message.findall("arguments/partial"):
            if partial.findtext("type") == "CONSTANT":
                sent.append(kinds[str(partial.findtext("conversion"))](partial.findtext("value")))
            else:
                low, high = (float(str(partial.findtext(f"scale{end}"))) for end in ("Min", "Max"))
                sent.append((low + high) / 2)
        return sent

    def test_its_shape_is_that_of_a_layout(self) -> None:
        assert (self.root.tag, self.root.get("version")) == ("lexml", "6")
        top = self.root.findall("node")
        assert [node.get("type") for node in top] == ["GROUP"]
        ids = [node.get("ID") for node in self.nodes()]
        assert len(set(ids)) == len(ids)
        for node in self.nodes():
            keys = [str(each.findtext("key")) for each in node.findall("properties/property")]
            assert keys == sorted(keys)
            assert {"frame", "color", "name", "visible"} <= set(keys)
        for message in self.messages():
            assert re.fullmatch("[01]{10}", str(message.findtext("connections")))

    def test_every_message_is_understood(self) -> None:
        sent = [m for m in self.messages() if m.findtext("send") == "1"]
        # pad, new, undo and level of each slot; play, stop, listen; four dials
        assert len(sent) == 4 * len(CODES) + 7
        for message in sent:
            address = str(message.findtext("path/partial/value"))
            assert decode(address, self.arguments(message), CODES), address
        told = [m for m in self.messages() if m.findtext("receive") == "1"]
        for message in told:
            row = BY_ADDRESS[row_of(str(message.findtext("path/partial/value")))]
            assert row.echo or row.kind is Kind.EVENT
        heard = [row_of(str(m.findtext("path/partial/value"))) for m in told]
        assert heard.count(f"/slot/{SLOT}/changed") == len(CODES)

    def test_every_control_has_a_place_of_its_own(self) -> None:
        def frame(node: ET.Element) -> tuple[float, ...]:
            value = self.properties(node)["frame"]
            return tuple(float(str(value.findtext(part))) for part in "xywh")

        width, height = frame(next(self.nodes()))[2:]
        controls = [frame(node) for node in self.nodes() if node.get("type") in ("BUTTON", "FADER")]
        for number, (x, y, w, h) in enumerate(controls):
            assert 0 <= x < x + w <= width
            assert 0 <= y < y + h <= height
            for left, top, wide, high in controls[:number]:
                apart = x >= left + wide or left >= x + w or y >= top + high or top >= y + h
                assert apart

    def test_captions_let_touches_through(self) -> None:
        labels = [node for node in self.nodes() if node.get("type") == "LABEL"]
        assert labels
        assert {self.properties(node)["interactive"].text for node in labels} == {"0"}


class TestMax:
    patcher: dict[str, Any] = json.loads((EXAMPLES / "max.maxpat").read_text())["patcher"]

    def boxes(self) -> dict[str, dict[str, Any]]:
        return {entry["box"]["id"]: entry["box"] for entry in self.patcher["boxes"]}

    def test_every_line_leads_from_an_outlet_to_an_inlet(self) -> None:
        boxes = self.boxes()
        assert len(boxes) == len(self.patcher["boxes"])
        assert len(self.patcher["lines"]) >= 5 * len(CODES)
        for entry in self.patcher["lines"]:
            (source, outlet), (target, inlet) = (
                entry["patchline"][end] for end in ("source", "destination"))
            assert 0 <= outlet < boxes[source]["numoutlets"]
            assert 0 <= inlet < boxes[target]["numinlets"]

    def test_boxes_are_whole(self) -> None:
        for box in self.boxes().values():
            assert len(box["outlettype"]) == box["numoutlets"]
            assert len(box["patching_rect"]) == 4
            assert box["maxclass"] in ("newobj", "message", "comment", "slider", "number")

    def test_every_address_is_in_the_table(self) -> None:
        texts = [box.get("text", "") for box in self.boxes().values()]
        sent = [text for text in texts if text.startswith("/")]
        assert len(sent) == 3 * len(CODES) + 6
        for text in sent:
            address, *words = text.replace("$1", "64" if "tempo" in text else "4").split()
            values = [float(word) if re.fullmatch(r"[\d.]+", word) else word for word in words]
            assert decode(address, values, CODES), text
        routed = next(text for text in texts if text.startswith("route ")).split()[1:]
        assert len(routed) == len(CODES) + 3
        for address in routed:
            assert row_of(address) in BY_ADDRESS

    def test_what_is_sent_reaches_udpsend(self) -> None:
        """Every message has a line to a send of the name that udpsend's receive has."""
        boxes = self.boxes()
        after = {entry["patchline"]["source"][0]: boxes[entry["patchline"]["destination"][0]]
                 for entry in self.patcher["lines"]}
        for name, box in boxes.items():
            if box.get("text", "").startswith("/"):
                assert after[name]["text"] == "s to_gan808"
            if box.get("text") == "r to_gan808":
                assert after[name]["text"] == "udpsend 127.0.0.1 8808"


def test_the_notes_are_the_slots() -> None:
    page = (EXAMPLES / "drum-rack-notes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (\S+) \| (\d+) [^|]+ \| (\w\w) \| ([^|]*) \|", page,
                      re.MULTILINE)
    told = {int(number): (code, (int(note), *map(int, re.findall(r"(\d+) \(", also))))
            for note, _, number, code, also in rows}
    assert told == {number: (slot.code, slot.notes) for number, slot in enumerate(TR808, 1)}
    # As Live counts: the first pad of an empty Drum Rack is C1, the bass drum.
    assert ("36", "C1") in [(note, name) for note, name, *_ in rows]
    assert ("49", "C#2") in [(note, name) for note, name, *_ in rows]
