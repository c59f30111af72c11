"""touchosc.tosc: sixteen strips (pad, new, undo, level, what it plays) and the machine's controls.

A .tosc file is XML, compressed by zlib: a tree of nodes, each with typed properties, values and
messages; a message's address and arguments are lists of partials. The shape is that of TouchOSC
1.5 (lexml version 6). Buttons carry no text there: each has a label on top that lets touches pass.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable

from surface import CODES, PORT, TOUCHOSC_LISTENS, address, slot_row, span

from gan808.config import Settings

WIDTH, HEIGHT = 1280, 800
MARGIN, GAP = 16, 8
LEVEL = 6  # zlib's own default, as TouchOSC writes
NAMES = uuid.UUID("2a9b6f0e-6d0b-4b0a-8f0e-808808808808")  # node ids are made from names
CONNECTION_1 = "0000000001"
NEEDS = ("Needs TouchOSC 1.5 and, on a computer it reaches: gan808 run --pattern off "
         "--osc 0.0.0.0:{port}. OSC connection 1: UDP, that computer, send port {port}, receive "
         "port {listens}; then press listen.")
NORTH, EAST = 0, 1

Frame = tuple[int, int, int, int]
Colour = tuple[float, float, float]
PAPER: Colour = (0.09, 0.09, 0.1)
WHITE: Colour = (0.95, 0.95, 0.95)
GREY: Colour = (0.45, 0.45, 0.48)
# The four colours of a TR-808's step keys.
RED, ORANGE, YELLOW, IVORY = (0.85, 0.2, 0.15), (0.95, 0.5, 0.1), (0.95, 0.8, 0.2), (0.9, 0.88, 0.8)


def text(value: object) -> str:
    return f"<![CDATA[{value}]]>"


def prop(kind: str, key: str, value: object) -> str:
    """One property. kind: b, i, f, s, r (a frame) or c (a colour)."""
    if kind == "s":
        value = text(value)
    elif kind in "rc":
        parts = zip("xywh" if kind == "r" else "rgba", value, strict=True)  # type: ignore[call-overload]
        value = "".join(f"<{name}>{number:g}</{name}>" for name, number in parts)
    return f"<property type='{kind}'><key>{text(key)}</key><value>{value}</value></property>"


def properties(name: str, frame: Frame, colour: Colour, **more: tuple[str, object]) -> str:
    """Properties that every node has, and more; in alphabetical order, as TouchOSC writes them."""
    known: dict[str, tuple[str, object]] = {
        "background": ("b", 1), "color": ("c", (*colour, 1)), "cornerRadius": ("f", 4),
        "frame": ("r", frame), "grabFocus": ("b", 1), "interactive": ("b", 1), "locked": ("b", 0),
        "name": ("s", name), "orientation": ("i", NORTH), "outline": ("b", 1),
        "outlineStyle": ("i", 0), "pointerPriority": ("i", 0), "shape": ("i", 1),
        "visible": ("b", 1), **more,
    }
    return "".join(prop(kind, key, value) for key, (kind, value) in sorted(known.items()))


def value(key: str, default: object, *, fixed: bool = False) -> str:
    """A control's state. fixed: what it shows is what it starts with, as a caption does."""
    return (f"<value><key>{text(key)}</key><locked>0</locked>"
            f"<lockedDefaultCurrent>{int(fixed)}</lockedDefaultCurrent>"
            f"<default>{text(default)}</default><defaultPull>0</defaultPull></value>")


def partial(kind: str, conversion: str, content: object, low: float = 0, high: float = 1) -> str:
    return (f"<partial><type>{kind}</type><conversion>{conversion}</conversion>"
            f"<value>{text(content)}</value><scaleMin>{low:g}</scaleMin>"
            f"<scaleMax>{high:g}</scaleMax></partial>")


def constant(content: str | int | float) -> str:
    """An argument that is always the same."""
    kinds = {str: "STRING", int: "INTEGER", float: "FLOAT"}
    return partial("CONSTANT", kinds[type(content)], content)


def message(path: str, arguments: Iterable[str], *, on: str = "", receive: bool = False) -> str:
    """One OSC message. on: RISE or ANY of the control's x sends it; nothing: it is only read."""
    trigger = (f"<triggers><trigger><var>{text('x')}</var><condition>{on}</condition></trigger>"
               "</triggers>") if on else ""
    told = "".join(arguments)
    return (f"<osc><enabled>1</enabled><send>{int(bool(on))}</send>"
            f"<receive>{int(receive)}</receive><feedback>0</feedback><noDuplicates>0</noDuplicates>"
            f"<connections>{CONNECTION_1}</connections>{trigger}"
            f"<path>{partial('CONSTANT', 'STRING', path)}</path>"
            + (f"<arguments>{told}</arguments>" if told else "") + "</osc>")


def node(kind: str, name: str, inside: str) -> str:
    return f"<node ID='{uuid.uuid5(NAMES, name)}' type='{kind}'>{inside}</node>"


def label(name: str, caption: str, frame: Frame, size: int = 14, colour: Colour = WHITE,
          reads: str = "") -> str:
    """Text that lets touches through. reads: the address whose first argument it shows."""
    shown = properties(
        name, frame, PAPER, background=("b", 0), outline=("b", 0), interactive=("b", 0),
        grabFocus=("b", 0), font=("i", 0), textAlignH=("i", 2), textAlignV=("i", 2),
        textClip=("b", 1), textColor=("c", (*colour, 1)), textLength=("i", 0),
        textSize=("i", size))
    listens = message(reads, [partial("VALUE", "STRING", "text")], receive=True) if reads else ""
    return node("LABEL", name, (
        f"<properties>{shown}</properties>"
        f"<values>{value('text', caption, fixed=not reads)}{value('touch', 'false')}</values>"
        + (f"<messages>{listens}</messages>" if listens else "")))


def button(name: str, caption: str, frame: Frame, colour: Colour, sent: str, size: int = 14) -> str:
    """A button that sends a message as it is pressed, with its caption on top."""
    shown = properties(name, frame, colour, buttonType=("i", 0), press=("b", 1), release=("b", 1),
                       valuePosition=("b", 0))
    return node("BUTTON", name, (
        f"<properties>{shown}</properties><values>{value('touch', 'false')}{value('x', 0)}</values>"
        f"<messages>{sent}</messages>")) + label(f"{name} caption", caption, frame, size)


def fader(name: str, frame: Frame, colour: Colour, row: str, path: str, *,
          low: float, high: float, start: float) -> str:
    """A fader of a part of the row's range, which follows when it is moved elsewhere."""
    span(row, low, high)
    shown = properties(
        name, frame, colour, bar=("b", 1), barDisplay=("i", 0), cursor=("b", 1),
        cursorDisplay=("i", 0), grid=("b", 0), orientation=("i", EAST), response=("i", 0),
        responseFactor=("i", 100))
    moves = message(path, [partial("VALUE", "FLOAT", "x", low, high)], on="ANY", receive=True)
    begins = f"{(start - low) / (high - low):.4g}"
    return node("FADER", name, (
        f"<properties>{shown}</properties>"
        f"<values>{value('touch', 'false')}{value('x', begins)}</values>"
        f"<messages>{moves}</messages>"))


def strip(number: int, code: str) -> str:
    """A slot's pad, buttons, level and what it plays; eight strips a row."""
    wide = (WIDTH - 2 * MARGIN - 7 * GAP) // 8
    x = MARGIN + number % 8 * (wide + GAP)
    y = 160 + number // 8 * 320
    colour = (RED, ORANGE, YELLOW, IVORY)[number % 8 // 2]
    half = (wide - GAP) // 2
    new, undo, level = (address(slot_row(name), code) for name in ("new", "undo", "level"))
    hit = message(address("/trig"), [constant(code), constant(1.0)], on="RISE")
    return "".join([
        button(f"pad {code}", code, (x, y, wide, 150), colour, hit, 28),
        button(f"new {code}", "new", (x, y + 158, half, 44), GREY, message(new, [], on="RISE")),
        button(f"undo {code}", "undo", (x + half + GAP, y + 158, half, 44), GREY,
               message(undo, [], on="RISE")),
        fader(f"level {code}", (x, y + 210, wide, 44), colour, slot_row("level"), level,
              low=0, high=1, start=0.8),
        label(f"sound {code}", "", (x, y + 258, wide, 28), 11,
              reads=address(slot_row("changed"), code)),
    ])


def head() -> str:
    """Play and stop, the connection, tempo, evolution, swing and volume."""
    def act(name: str, x: int, colour: Colour, row: str, *arguments: int) -> str:
        sent = message(address(row), map(constant, arguments), on="RISE")
        return button(name, name, (x, MARGIN, 96, 128), colour, sent, 18)

    def slide(name: str, place: int, row: str, low: float, high: float, start: float) -> str:
        x, y = 344 + place % 2 * 464, MARGIN + place // 2 * 68
        return (label(f"{name} caption", f"{name} {low:g}-{high:g}", (x, y, 120, 60))
                + fader(name, (x + 120, y, 328, 60), ORANGE, row, address(row),
                        low=low, high=high, start=start))

    return "".join([
        act("play", MARGIN, RED, "/seq/play"),
        act("stop", MARGIN + 104, GREY, "/seq/stop"),
        act("listen", MARGIN + 208, GREY, "/notify", 1, TOUCHOSC_LISTENS),
        slide("tempo", 0, "/seq/tempo", 60, 180, 108),
        slide("evolve", 1, "/evolve", 0, 16, 1),
        slide("swing", 2, "/seq/swing", 0, 1, 0),
        slide("volume", 3, "/volume", 0, 1, Settings().audio.master_volume),
    ])


def document() -> str:
    """The layout as XML, on one line."""
    frame = (0, 0, WIDTH, HEIGHT)
    inside = head() + "".join(strip(number, code) for number, code in enumerate(CODES))
    shown = properties("GAN-808", frame, PAPER, grabFocus=("b", 0), interactive=("b", 0),
                       metaComments=("s", NEEDS.format(port=PORT, listens=TOUCHOSC_LISTENS)))
    root = node("GROUP", "GAN-808", (
        f"<includes/><properties>{shown}</properties><values>{value('touch', 'false')}</values>"
        f"<children>{inside}</children>"))
    return f"<?xml version='1.0' encoding='UTF-8'?><lexml version='6'>{root}</lexml>"


def layout() -> bytes:
    """The file."""
    return zlib.compress(document().encode(), LEVEL)
