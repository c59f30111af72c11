"""The instrument as a sample map for Strudel and whatever else reads samples over HTTP. Event loop
only.

    /strudel.json              each slot's sounds by its code: the present one, then the stock
    /samples/KIT/CLASS/SEED.wav    a sound by its id, while it is at hand
    /samples/new/CODE/ANY.wav      leads to a sound that nobody has had yet

Any page may read them: a sketch at strudel.cc is not served here. Nothing else is open to it.
"""

from __future__ import annotations

import io
import time
import wave
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from gan808.control.osc.clients import Limit
from gan808.control.web.osc_client import OscAsker
from gan808.instrument.parameter import ROOT
from gan808.sound.sound import digest

MAP, SAMPLES = "/strudel.json", "/samples/"
NEW, SUFFIX = f"{SAMPLES}new/", ".wav"
NEW_ADDRESSES = 64  # of each slot in one map: as often a sampler finds a fresh sound
REQUESTS_HZ, BURST = 40.0, 200  # a sampler loads a whole map at once
SHARED = {
    "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Range, ETag",
}
# A page from elsewhere asks before it reads from this machine (Private Network Access).
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "Range, If-Range",
    "Access-Control-Allow-Private-Network": "true", "Access-Control-Max-Age": "600",
}
AUDIO, TAKE, LIST = f"{ROOT}/sound/audio", f"{ROOT}/pool/take", f"{ROOT}/pool/sounds"
DONE = f"{ROOT}/done"


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames of a sound as /sound/audio tells them: 16-bit little-endian, interleaved."""

    rate_hz: int
    n_frames: int
    n_channels: int
    pcm: bytes


async def piece_of(asker: OscAsker, sound_id: str, first: int) -> Piece | None:
    """A sound's frames from there on; None when it is not at hand."""
    answer = (await asker.ask([(AUDIO, AUDIO, (sound_id, first))])).get(AUDIO)
    if answer is None or not answer[4]:
        return None
    return Piece(*answer[1:])


async def wav_of(asker: OscAsker, sound_id: str, begun: Piece | None = None) -> bytes | None:
    """A sound that is at hand as a WAV, asked for piece by piece. begun: its first piece."""
    piece = begun or await piece_of(asker, sound_id, 0)
    pieces: list[bytes] = []
    at = 0
    while piece is not None:
        pieces.append(piece.pcm)
        at += len(piece.pcm) // (2 * piece.n_channels)
        if at >= piece.n_frames:
            break
        piece = await piece_of(asker, sound_id, at)
    if piece is None:
        return None
    into = io.BytesIO()
    with wave.open(into, "wb") as file:
        file.setnchannels(piece.n_channels)
        file.setsampwidth(2)
        file.setframerate(piece.rate_hz)
        file.writeframes(b"".join(pieces))
    return into.getvalue()


def is_sample_path(path: str) -> bool:
    """Whether this is for Samples to answer."""
    return path == MAP or path.startswith(SAMPLES)


class Samples:
    """Answers for the map and what it leads to."""

    def __init__(self, asker: OscAsker) -> None:
        self._asker = asker
        self._limit = Limit(REQUESTS_HZ, BURST)

    async def answer(self, request: web.BaseRequest, path: str) -> web.Response:
        """The answer to a GET, HEAD or OPTIONS of a path, decoded."""
        if request.method == "OPTIONS":
            return web.Response(status=204, headers={**SHARED, **PREFLIGHT})
        if not self._limit.allows(time.monotonic()):
            return web.Response(status=429, headers=SHARED)
        if path == MAP:
            return await self._map(request.headers.get("Host", ""))
        if path.startswith(NEW):
            return await self._new(path.removeprefix(NEW).partition("/")[0])
        if not path.endswith(SUFFIX):
            return _gone()
        return await self._sound(request, path.removeprefix(SAMPLES).removesuffix(SUFFIX))

    async def _map(self, host: str) -> web.Response:
        told = (await self._asker.ask([(LIST, LIST, ())])).get(LIST)
        if told is None:
            return web.json_response(None, status=503, headers=SHARED)
        listing: dict[str, object] = {"_base": f"http://{host}{SAMPLES}"}
        names: dict[str, list[str]] = {}
        for code, sound_id in zip(told[::2], told[1::2], strict=True):
            names.setdefault(code.lower(), []).append(_file(sound_id))
        stamp = time.time_ns() // 1_000_000  # a sampler keeps what it once read of an address
        for name, files in names.items():
            listing[name] = list(dict.fromkeys(files))
            listing[f"{name}_new"] = [f"new/{quote(name)}/{stamp}-{number}{SUFFIX}"
                                      for number in range(NEW_ADDRESSES)]
        return web.json_response(listing, headers={**SHARED, "Cache-Control": "no-store"})

    async def _new(self, code: str) -> web.Response:
        """Lead to a sound by its id, so that a second range is of the same."""
        told = (await self._asker.ask([(TAKE, DONE, (code,))])).get(TAKE)
        if told is None or told[0] != TAKE:
            return _gone()
        return web.Response(status=302, headers={
            **SHARED, "Location": SAMPLES + _file(told[1]), "Cache-Control": "no-store"})

    async def _sound(self, request: web.BaseRequest, sound_id: str) -> web.Response:
        first = await piece_of(self._asker, sound_id, 0)
        if first is None:
            return _gone()
        tag = f'"{digest(f"{sound_id} {first.rate_hz}")}"'
        # The same id and rate are the same sound for ever.
        headers = {**SHARED, "ETag": tag, "Accept-Ranges": "bytes",
                   "Cache-Control": "public, max-age=86400, immutable"}
        if request.headers.get("If-None-Match") in (tag, f"W/{tag}", "*"):
            return web.Response(status=304, headers=headers)
        body = await wav_of(self._asker, sound_id, first)
        if body is None:
            return _gone()
        if request.headers.get("Range") is None or request.headers.get("If-Range") not in (
                None, tag):
            return web.Response(body=body, content_type="audio/wav", headers=headers)
        return _part(request, body, headers)


def _part(request: web.BaseRequest, body: bytes, headers: dict[str, str]) -> web.Response:
    """One range of it (RFC 9110, section 14); several at once are answered with the whole, which
    is allowed."""
    try:
        wanted = request.http_range
    except ValueError:
        return web.Response(body=body, content_type="audio/wav", headers=headers)
    first, end, _ = wanted.indices(len(body))
    if first >= end:
        headers["Content-Range"] = f"bytes */{len(body)}"
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(body)}"
    return web.Response(status=206, body=body[first:end], content_type="audio/wav", headers=headers)


def _file(sound_id: str) -> str:
    return quote(sound_id) + SUFFIX


def _gone() -> web.Response:
    return web.Response(status=404, text="that sound is not at hand", headers=SHARED)
