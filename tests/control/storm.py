"""A storm of OSC packets, the same for the same seed: whole messages, damaged ones, bundles in
bundles with tags of any time, wildcards, names that reach for files, and bytes.
"""

from __future__ import annotations

import random
import struct
import time

from gan808.instrument.parameter import ROOT
from gan808.instrument.parameters import TABLE

_TEXTS = ("", "BD", "16", "sd", "XX", "one", "all", "fresh", "bar", "off", "808", "fake/kick/3",
          "fake/kick/3~9@0.5", "../..", "/etc/passwd", "a\nb", "\x1b[2J", "s", "gain", "pan", "n",
          "speed", "cut", "other", "broken", "x" * 300, "\u00e9\U0001f941")
_NUMBERS = (0, 1, -1, 2, 16, 64, 127, 0.5, -0.5, 1e-30, 1e30, float("inf"), float("nan"), 2**31 - 1,
            -2**31, 120.0)
_SIGNS = ("*", "?", "[BS]D", "{BD,SD}", "[!a]*", "{,}{,}", "[", "}", "*" * 40)


class Storm:
    """Endless datagrams. quiet: nothing that starts the pattern or changes tempo and sound."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._makers = (self._bytes, self._message, self._message, self._message, self._damaged,
                        self._bundle, self._wild)

    def datagram(self) -> bytes:
        """The next one."""
        return self._random.choice(self._makers)()

    def _bytes(self) -> bytes:
        start = self._random.choice((b"", b"/", b"#bundle\0", b"/gan808/trig\0\0\0\0,sf\0"))
        return start + self._random.randbytes(self._random.randrange(80))

    def _message(self) -> bytes:
        row = self._random.choice(TABLE)
        slot = self._random.choice(("BD", "sd", "3", "16", "17", "XX", "\u00b2", ""))
        address = self._random.choice((ROOT, ROOT, ROOT, ROOT, "", "/dirt")) + row.address_of(slot)
        if self._random.random() < 0.6:
            return _packed(address, [self._fitting(a.type, a.name) for a in row.arguments])
        return _packed(address, [self._any() for _ in range(self._random.randrange(6))])

    def _fitting(self, kind: str, name: str) -> tuple[str, object]:
        if name == "slot":
            return "s", self._random.choice(("BD", "SD", "CH", "7"))
        if kind == "s":
            return "s", self._random.choice(_TEXTS)
        if kind == "i":
            return "i", self._random.choice((0, 1, 2, 5, 2**31 - 1))
        return "f", self._random.choice((0.0, 0.25, 1.0, 20.0))

    def _any(self) -> tuple[str, object]:
        kind = self._random.choice("ifsdhTFNIbm")
        if kind == "s":
            return kind, self._random.choice(_TEXTS)
        return kind, self._random.choice(_NUMBERS)

    def _damaged(self) -> bytes:
        data = bytearray(self._message() if self._random.random() < 0.5 else self._bundle())
        for _ in range(self._random.randint(1, 6)):
            data[self._random.randrange(len(data))] = self._random.randrange(256)
        return bytes(data[:self._random.randint(0, len(data))])

    def _bundle(self, depth: int = 0) -> bytes:
        tag = self._random.choice((
            1, 0, 2**64 - 1, 2**63, _ntp(-1.0), _ntp(0.01), _ntp(0.2), _ntp(3600.0)))
        data = b"#bundle\0" + struct.pack(">Q", tag)
        for _ in range(self._random.randrange(5)):
            inner = self._random.choice((self._message, self._wild))
            element = self._bundle(depth + 1) if self._random.random() < 0.3 else inner()
            if len(data) + len(element) < 8000:
                data += struct.pack(">i", len(element)) + element
        return data

    def _wild(self) -> bytes:
        sign = self._random.choice(_SIGNS)
        last = self._random.choice(("level", "pan", "lock", "new", "info", "*", sign))
        return _packed(f"{ROOT}/slot/{sign}/{last}", [self._any()][:self._random.randrange(2)])


def _ntp(ahead_s: float) -> int:
    return int((time.time() + ahead_s + 2208988800) * 2**32)


def _text(text: str) -> bytes:
    data = text.encode()
    return data + bytes(4 - len(data) % 4)


def _packed(address: str, values: list[tuple[str, object]]) -> bytes:
    """A message, whatever its values; numbers that a type cannot hold become what it can."""
    data = b""
    for kind, value in values:
        number = value if isinstance(value, int | float) else 0
        if kind == "s":
            data += _text(str(value))
        elif kind in "fd":
            data += struct.pack(f">{kind}", number)
        elif kind in "ih":
            whole = int(number) if abs(number) < 2**31 else 2**31 - 1
            data += struct.pack(">i" if kind == "i" else ">q", whole)
        elif kind == "b":
            data += struct.pack(">i", 4) + b"blob"
        elif kind == "m":
            data += b"\0\x90\x24\x7f"
    return _text(address) + _text("," + "".join(kind for kind, _ in values)) + data
