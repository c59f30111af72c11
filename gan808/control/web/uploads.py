"""Sound files that come from a page: into the user's imports folder, under a plain name. Event loop
only.
"""

from __future__ import annotations

import asyncio
import unicodedata
from pathlib import Path

from aiohttp import web

from gan808 import atomic
from gan808.sound.compressed_files import KINDS, not_decoded

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3", *KINDS)
MOST_BYTES = 32 << 20  # three minutes of a CD; what is loaded of it are seconds
MOST_FILES = 1000  # in the folder: as many as can be listed
UPLOAD_S = 60.0
MOST_NAME = 80


def plain_name(given: str) -> str | None:
    """A file name without folders, hidden names and odd signs; None where it is no sound file's."""
    last = given.replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign if sign.isalnum() or sign in " ._-()+#" else "_"
                   for sign in unicodedata.normalize("NFC", last)).strip(" ._")
    stem, dot, suffix = kept.rpartition(".")
    stem = stem[:MOST_NAME].strip(" ._")
    return f"{stem}.{suffix.lower()}" if dot and stem and f".{suffix.lower()}" in SUFFIXES else None


class Uploads:
    """Takes one file at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one = asyncio.Lock()

    async def take(self, request: web.BaseRequest) -> web.Response:
        """The body of a POST becomes a file; the answer is the name it got. Nothing is replaced."""
        name = plain_name(request.rel_url.query.get("name", ""))
        if name is None:
            return web.Response(status=415, text=f"no sound file: give {', '.join(SUFFIXES)}")
        suffix = Path(name).suffix
        if suffix in KINDS and (why := not_decoded(suffix)):
            return web.Response(status=415, text=f"{name}: {why}")
        if (request.content_length or 0) > MOST_BYTES:
            return _too_large()
        if self._one.locked():
            return web.Response(status=503, text="another file is on its way; try again")
        async with self._one:
            try:
                async with asyncio.timeout(UPLOAD_S):
                    return await self._take(request, name)
            except TimeoutError:
                return web.Response(status=408, text=f"it took longer than {UPLOAD_S:.0f} s")
            except OSError as error:
                return web.Response(status=507, text=f"{name}: {error.strerror}")

    async def _take(self, request: web.BaseRequest, name: str) -> web.Response:
        body = bytearray()
        async for piece in request.content.iter_chunked(1 << 16):
            body += piece
            if len(body) > MOST_BYTES:
                return _too_large()
        if not body:
            return web.Response(status=400, text=f"{name}: empty")
        self._folder.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in self._folder.iterdir()) >= MOST_FILES:
            return web.Response(status=507, text=f"{self._folder}: full; take some out")
        path = _free(self._folder / name)
        await asyncio.to_thread(atomic.write_bytes, path, bytes(body))
        return web.json_response({"name": path.name})


def _free(path: Path) -> Path:
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def _too_large() -> web.Response:
    return web.Response(status=413, text=f"larger than {MOST_BYTES >> 20} MB")
