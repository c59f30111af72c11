"""OSCQuery's answers: every address with its type, range and present value, asked over OSC."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from gan808.control.oscquery.namespace import (
    ATTRIBUTES,
    NOT_OFFERED,
    Method,
    Node,
    below,
    full_path,
    methods,
    node_at,
)
from gan808.control.web.osc_client import OscAsker
from gan808.instrument.parameter import ROOT, Value
from gan808.sound.kit.slots import SlotLayout

NAME = "GAN-808"
HOST_INFO = "HOST_INFO"
OPTIONAL = sorted(ATTRIBUTES - {"FULL_PATH", "CONTENTS"})
ANY_HOST = ("0.0.0.0", "::", "")
SLOTS = f"{ROOT}/slots"
SLOTS_S = 1.0  # how long the kit's slots are taken to be the same
STATUS, PEEK = f"{ROOT}/status", (1,)  # a look from outside resets nobody's peak meter
NOT_ASKED = ("/snapshot", "/picture", "/pool/sounds")  # too much to be told with everything else


class Query:
    """Answers GETs about one instrument."""

    def __init__(self, asker: OscAsker, osc_address: tuple[str, int]) -> None:
        self._asker = asker
        self._osc_address = osc_address
        self._slots: tuple[SlotLayout, ...] = ()
        self._slots_s = 0.0

    async def answer(self, raw_path: str, query: str) -> web.Response:
        """The answer to /gan808/slot/BD/level?VALUE, path and query apart."""
        attribute = query.partition("&")[0].partition("=")[0].upper()
        if attribute == HOST_INFO:
            return web.json_response(self._host_info())
        if attribute and attribute not in ATTRIBUTES | NOT_OFFERED:
            return web.json_response(body=b"", status=400)
        slots = await self._present_slots()
        path, space = full_path(raw_path, slots), methods(slots)
        found = below(path, space)
        asked = found if attribute in ("", "CONTENTS") else [m for m in found if m.path == path]
        node = node_at(path, space, slots, await self._read(asked))
        if node is None:
            return web.json_response(body=b"", status=404)
        if not attribute:
            return web.json_response(node)
        if attribute not in node:
            return web.json_response(body=b"", status=204)
        return web.json_response({attribute: node[attribute]})

    def _host_info(self) -> Node:
        host, port = self._osc_address
        info: Node = {
            "NAME": NAME, "OSC_PORT": port, "OSC_TRANSPORT": "UDP",
            "EXTENSIONS": {"LISTEN": True, **dict.fromkeys(OPTIONAL, True)},
        }
        if host not in ANY_HOST:  # else a client takes the address it asked at
            info["OSC_IP"] = host
        return info

    async def _present_slots(self) -> tuple[SlotLayout, ...]:
        now_s = time.monotonic()
        if not self._slots or now_s - self._slots_s > SLOTS_S:
            told = (await self._asker.ask([(SLOTS, SLOTS, ())])).get(SLOTS, ())
            self._slots = tuple(
                SlotLayout(code=code, name=name, class_name=class_name, notes=(int(note),))
                for code, name, class_name, note in zip(*[iter(told)] * 4, strict=True))
            self._slots_s = now_s
        return self._slots

    async def _read(self, wanted: Sequence[Method]) -> dict[str, tuple[Value, ...]]:
        """The present values of these, as far as they are there in time."""
        questions = [
            (m.path, f"{ROOT}{m.row.reply_address}" if m.row.reply_address else m.path,
             PEEK if m.path == STATUS else ())
            for m in wanted if m.readable and not m.path.endswith(NOT_ASKED)]
        values: dict[str, Any] = await self._asker.ask(questions) if questions else {}
        return values
