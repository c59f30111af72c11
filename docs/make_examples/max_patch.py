"""max.maxpat: hits, new sounds, tempo, evolution, and what the machine tells back, for Max 8 and 9.

A patcher file is JSON: boxes with an id, a class, inlets, outlets and a place, and lines from an
outlet of one to an inlet of another.
"""

from __future__ import annotations

import json
from typing import Any

from surface import CODES, MAX_LISTENS, PORT, address, slot_row, span

COLUMN, BANK_HEIGHT = 156, 150
TOLD = ("tempo", "evolve")

Outlet = tuple[str, int]


class Patch:
    """Boxes and lines, in the order they were asked for."""

    def __init__(self) -> None:
        self.boxes: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []

    def box(self, kind: str, place: tuple[int, int], width: int, inlets: int,
            outlets: tuple[str, ...], *, height: int = 22, **more: Any) -> str:
        """Add a box; its id."""
        name = f"obj-{len(self.boxes) + 1}"
        self.boxes.append({"box": {
            "id": name, "maxclass": kind, "numinlets": inlets, "numoutlets": len(outlets),
            "outlettype": list(outlets),
            "patching_rect": [float(n) for n in (*place, width, height)], **more}})
        return name

    def join(self, source: Outlet | str, target: str, inlet: int = 0) -> None:
        """A line from an outlet, the first unless said otherwise, to an inlet."""
        name, outlet = source if isinstance(source, tuple) else (source, 0)
        self.lines.append({"patchline": {"source": [name, outlet], "destination": [target, inlet]}})

    def comment(self, place: tuple[int, int], text: str, width: int = 600) -> str:
        return self.box("comment", place, width, 1, (), text=text)

    def message(self, place: tuple[int, int], text: str, width: int = COLUMN - 8) -> str:
        return self.box("message", place, width, 2, ("",), text=text)

    def object(self, place: tuple[int, int], text: str, width: int, inlets: int = 1,
               outlets: tuple[str, ...] = ("",)) -> str:
        return self.box("newobj", place, width, inlets, outlets, text=text)

    def send(self, place: tuple[int, int]) -> str:
        """What leads to udpsend without a line across the patch."""
        return self.object(place, "s to_gan808", 76, 1, ())


def introduce(patch: Patch) -> None:
    for row, line in enumerate((
        "GAN-808 from Max. Needs Max 8 or 9, no externals; start first: gan808 run --pattern off",
        f"It listens on port {PORT} of this machine and answers here on port {MAX_LISTENS}.",
        "Click a message: a hit (velocity 0-1), a new sound, the one before; then what it plays.",
    )):
        patch.comment((20, 14 + 22 * row), line, 1000)


def bank(patch: Patch, codes: list[str], top: int) -> dict[str, str]:
    """Eight slots side by side; by code, the message box that shows what the slot plays."""
    shows = {}
    for column, code in enumerate(codes):
        x = 20 + column * COLUMN
        out = patch.send((x, top + 84))
        for row, text in enumerate((
            f"{address('/trig')} {code} 1.",
            address(slot_row("new"), code),
            address(slot_row("undo"), code),
        )):
            patch.join(patch.message((x, top + 28 * row), text), out)
        shows[code] = patch.message((x, top + 112), "")
    return shows


def dials(patch: Patch, top: int) -> dict[str, str]:
    """Tempo, evolution, play and stop; by name, the dials that follow the machine."""
    follow = {}
    for number, (name, row, low, high) in enumerate((
        ("tempo", "/seq/tempo", 60, 180), ("evolve", "/evolve", 0, 16),
    )):
        x = 20 + number * 2 * COLUMN
        span(row, low, high)
        patch.comment((x, top), f"{name}, {low} to {high}", COLUMN)
        slider = patch.box("slider", (x, top + 26), 2 * COLUMN - 30, 1, ("",), orientation=1,
                           min=low, size=high - low + 1, parameter_enable=0)
        shown = patch.box("number", (x, top + 54), 50, 1, ("", "bang"), parameter_enable=0)
        sends = patch.message((x + 60, top + 54), f"{address(row)} $1")
        patch.join(slider, shown)
        patch.join(shown, sends)
        patch.join(sends, patch.send((x + 60, top + 84)))
        follow[name] = slider
    out = patch.send((20 + 4 * COLUMN, top + 84))
    for number, row in enumerate(("/seq/play", "/seq/stop")):
        patch.join(patch.message((20 + 4 * COLUMN, top + 26 + 28 * number), address(row)), out)
    return follow


def connection(patch: Patch, top: int) -> None:
    """To the machine; and, every minute and so that it may come later, the wish to be told."""
    leaves = patch.object((20, top), "r to_gan808", 76, 0)
    patch.join(leaves, patch.object((20, top + 28), f"udpsend 127.0.0.1 {PORT}", 160, 1, ()))
    beat = patch.object((240, top), "metro 60000 @active 1", 140, 2, ("bang",))
    ask = patch.message((240, top + 28), f"{address('/notify')} 1 {MAX_LISTENS}", 170)
    close = patch.object((430, top), "closebang", 70, 1, ("bang",))
    leave = patch.message((430, top + 28), f"{address('/notify')} 0 {MAX_LISTENS}", 170)
    out = patch.send((240, top + 56))
    for source, target in ((beat, ask), (close, leave), (ask, out), (leave, out)):
        patch.join(source, target)


def answers(patch: Patch, shows: dict[str, str], follow: dict[str, str], top: int) -> None:
    """What it tells, to where it is shown: sounds, tempo and evolution, failures, the rest."""
    rows = [address(slot_row("changed"), code) for code in CODES]
    rows += [address("/seq/tempo"), address("/evolve"), address("/fail")]
    comes = patch.object((20, top), f"udpreceive {MAX_LISTENS}", 110)
    route = patch.object((20, top + 28), " ".join(["route", *rows]), 1250, len(rows) + 1,
                         ("",) * (len(rows) + 1))
    patch.join(comes, route)
    for number, target in enumerate((*shows.values(), *(follow[name] for name in TOLD))):
        setter = patch.object((20 + number * 68, top + 56), "prepend set", 66)
        patch.join((route, number), setter)
        patch.join(setter, target)
    refused = patch.object((20, top + 92), "print gan808-refused @popup 1", 190, 1, ())
    patch.join((route, len(rows) - 1), refused)
    rest = patch.object((230, top + 92), "print gan808", 90, 1, ())
    patch.join((route, len(rows)), rest)


def patch() -> str:
    """The file."""
    made = Patch()
    introduce(made)
    shows = {**bank(made, CODES[:8], 100), **bank(made, CODES[8:], 100 + BANK_HEIGHT)}
    below = 100 + 2 * BANK_HEIGHT
    follow = dials(made, below)
    connection(made, below + 130)
    answers(made, shows, follow, below + 230)
    return json.dumps({"patcher": {
        "fileversion": 1,
        "appversion": {"major": 8, "minor": 5, "revision": 5, "architecture": "x64", "modernui": 1},
        "classnamespace": "box", "rect": [60.0, 80.0, 1310.0, 820.0], "openinpresentation": 0,
        "default_fontsize": 12.0, "default_fontname": "Arial", "gridsize": [15.0, 15.0],
        "boxes": made.boxes, "lines": made.lines,
    }}, indent=1) + "\n"
