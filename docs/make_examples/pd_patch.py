"""puredata.pd: pads, new, undo, tempo, evolution and feedback, for Pure Data vanilla 0.48 or later.

A patch is lines: `#X obj X Y NAME ARGUMENTS;` and the like, numbered from 0 as they come, then
`#X connect FROM OUTLET TO INLET;`. A patch within a patch stands between `#N canvas` and
`#X restore`, and counts as one box.
"""

from __future__ import annotations

from itertools import pairwise

from surface import CODES, PD_LISTENS, PORT, address, slot_row, span

COLUMN, BANK_HEIGHT = 136, 150
COLOURS = "-262144 -1 -1"  # background, foreground, label, as every version since 0.38 reads them
VELOCITY = 0.8

End = int | tuple[int, int]


class Patch:
    """Boxes and connections, in the order they were asked for."""

    def __init__(self, title: str = "", size: tuple[int, int] = (560, 420)) -> None:
        name = f"{title} 0" if title else "12"
        self._head = f"#N canvas 60 60 {size[0]} {size[1]} {name};"
        self._boxes: list[str] = []
        self._connections: list[str] = []

    def _add(self, lines: str) -> int:
        self._boxes.append(lines)
        return len(self._boxes) - 1

    def obj(self, x: int, y: int, text: str) -> int:
        return self._add(f"#X obj {x} {y} {text};")

    def msg(self, x: int, y: int, text: str) -> int:
        return self._add(f"#X msg {x} {y} {text};")

    def text(self, x: int, y: int, text: str) -> int:
        plain = text.replace(",", r" \,").replace(";", r" \;")
        return self._add(f"#X text {x} {y} {plain}, f {len(plain)};")

    def bang(self, x: int, y: int, name: str, label: str, size: int) -> int:
        """A pad; anything else reaches it by its name, as `; pad-BD bang` in a message box."""
        return self.obj(x, y, f"bng {size} 250 50 0 empty {name} {label} {size + 5} {size // 2} "
                              f"0 12 {COLOURS}")

    def slider(self, x: int, y: int, name: str, low: float, high: float,
               start: float | None = None) -> int:
        """Its name is dial-NAME. It sends where it starts as the patch is opened; without a start
        nothing, and waits to be told."""
        at = 0 if start is None else round((start - low) / (high - low) * 20000)  # of 200 steps
        look = f"{int(start is not None)} empty dial-{name} {name} 207 9 0 12 {COLOURS} {at} 1"
        return self.obj(x, y, f"hsl 201 18 {low:g} {high:g} 0 {look}")

    def inside(self, x: int, y: int, title: str, patch: Patch) -> int:
        return self._add(f"{patch.lines()}\n#X restore {x} {y} pd {title};")

    def join(self, *boxes: End) -> None:
        """A chain, each to the next; (number, outlet or inlet) where it is not the first."""
        ends = [box if isinstance(box, tuple) else (box, 0) for box in boxes]
        self._connections += [f"#X connect {a} {out} {b} {into};"
                              for (a, out), (b, into) in pairwise(ends)]

    def lines(self) -> str:
        return "\n".join([self._head, *self._boxes, *self._connections])


def oscformat(row: str, code: str = "") -> str:
    """The object that makes a row's message: its address in parts."""
    return f"oscformat {address(row, code)[1:].replace('/', ' ')}"


def slot(code: str) -> Patch:
    """Inlets: hit, new, undo. Outlet: `set` and what the slot plays, for a message box."""
    inner = Patch(f"slot-{code}")
    inlets = [inner.obj(20 + 180 * number, 20, "inlet") for number in range(3)]
    louder, stored = inner.obj(100, 50, "r velocity"), inner.obj(20, 80, f"f {VELOCITY:g}")
    inner.join(louder, (stored, 1))
    out = inner.obj(20, 170, "s to_gan808")
    inner.join(inlets[0], stored, inner.obj(20, 110, f"list prepend {code}"),
               inner.obj(20, 140, oscformat("/trig")), out)
    for inlet, name, x in ((inlets[1], "new", 200), (inlets[2], "undo", 380)):
        inner.join(inlet, inner.obj(x, 110, oscformat(slot_row(name), code)), out)
    chain = [inner.obj(20, 220 + 28 * row, text) for row, text in enumerate((
        "r from_gan808", "route slot", f"route {code}", "route changed", "list prepend set",
        "list trim", "outlet",
    ))]
    inner.join(*chain)
    return inner


def bank(patch: Patch, codes: list[str], top: int) -> None:
    for column, code in enumerate(codes):
        x = 20 + column * COLUMN
        pads = [patch.bang(x, top, f"pad-{code}", code, 44),
                patch.bang(x + 80, top, f"new-{code}", "new", 18),
                patch.bang(x + 80, top + 26, f"undo-{code}", "undo", 18)]
        inner = patch.inside(x, top + 60, f"slot-{code}", slot(code))
        for inlet, pad in enumerate(pads):
            patch.join(pad, (inner, inlet))
        patch.join(inner, patch.msg(x, top + 90, code))


def dials(patch: Patch, top: int) -> None:
    """Velocity, tempo and evolution, which follow the machine; play and stop."""
    patch.join(patch.slider(20, top, "velocity", 0, 1, VELOCITY),
               patch.obj(20, top + 30, "s velocity"))
    for x, name, row, low, high, route in (
        (320, "tempo", "/seq/tempo", 60, 180, ("route seq", "route tempo")),
        (620, "evolve", "/evolve", 0, 16, ("route evolve",)),
    ):
        span(row, low, high)
        dial = patch.slider(x, top, name, low, high)
        patch.join(dial, patch.obj(x, top + 30, oscformat(row)),
                   patch.obj(x, top + 60, "s to_gan808"))
        heard = ("r from_gan808", *route)
        chain = [patch.obj(x, top + 100 + 28 * place, text) for place, text in enumerate(heard)]
        # Of /evolve/mode and the like comes a word; only numbers move the dial.
        numbers = patch.obj(x, top + 100 + 28 * len(heard), "route float")
        patch.join(*chain, numbers, patch.msg(x, top + 128 + 28 * len(heard), r"set \$1"), dial)
    for x, name in ((920, "play"), (1010, "stop")):
        button = patch.bang(x, top, name, name, 24)
        sends = patch.obj(x, top + (30 if name == "play" else 60), oscformat(f"/seq/{name}"))
        patch.join(button, sends, patch.obj(920, top + 120, "s to_gan808"))


def connection(patch: Patch, top: int) -> None:
    """To the machine; and, every minute and so that it may come later, the wish to be told."""
    begin = patch.obj(20, top, "loadbang")
    first = patch.obj(20, top + 28, "t b b")
    to = patch.msg(110, top + 28, f"connect 127.0.0.1 {PORT}")
    beat = patch.obj(20, top + 70, "metro 60000")
    asks = patch.msg(20, top + 98, f"list 1 {PD_LISTENS}")
    sends = patch.obj(20, top + 126, oscformat("/notify"))
    leaves = [patch.obj(320, top + 28 * row, text) for row, text in enumerate(
        ("r to_gan808", "list prepend send", "list trim", "netsend -u -b"))]
    patch.join(begin, first, beat, asks, sends, patch.obj(20, top + 154, "s to_gan808"))
    patch.join((first, 1), to, leaves[-1])
    patch.join(*leaves)
    comes = [patch.obj(620, top + 28 * row, text) for row, text in enumerate(
        (f"netreceive -u -b {PD_LISTENS}", "oscparse", "list trim", "route gan808"))]
    patch.join(*comes)
    patch.join(comes[-1], patch.obj(620, top + 112, "s from_gan808"))
    patch.join(comes[-1], patch.obj(740, top + 112, "print gan808"))


def patch() -> str:
    """The file."""
    made = Patch(size=(1200, 860))
    for row, line in enumerate((
        "GAN-808 from Pure Data. Needs vanilla 0.48 or later. Run: gan808 run --pattern off",
        f"It listens on port {PORT} of this machine and answers here on port {PD_LISTENS}.",
        "Every slot: a pad to hit it, a new sound, the one before, and the id of what it plays.",
    )):
        made.text(20, 14 + 22 * row, line)
    bank(made, CODES[:8], 100)
    bank(made, CODES[8:], 100 + BANK_HEIGHT)
    dials(made, 100 + 2 * BANK_HEIGHT)
    connection(made, 100 + 2 * BANK_HEIGHT + 260)
    return made.lines() + "\n"
