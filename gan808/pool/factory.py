"""A kit's factory sounds at the rate of the output, kept in the user's cache once they are decoded.

Decoding and resampling takes a tenth of a second or two, in which a player waits for the first
note; reading what is kept takes a few milliseconds. Main thread, at the start.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from gan808 import paths
from gan808.pool import store
from gan808.sound.kit.kit import FACTORY, MANIFEST, Kit
from gan808.sound.sound import Sound


@dataclass(frozen=True)
class FactorySounds:
    """The sounds; `keep` writes them for the next start if they had to be decoded."""

    sounds: list[Sound]
    path: Path
    mark: str
    decoded: bool

    def keep(self) -> None:
        """Write them for the next start. A full disk is logged, not raised."""
        if self.decoded and self.sounds:
            store.write(self.path, self.mark, self.sounds)


def factory_sounds(kit: Kit, sample_rate_hz: int) -> FactorySounds:
    """The finished sounds that came with a kit, at that rate. Raises KitError."""
    path = paths.pool_folder(kit.name).with_name(f"{kit.name}-factory-{sample_rate_hz}")
    mark = _mark(kit, sample_rate_hz)
    kept = store.load(path, mark) if mark else []
    if kept:
        return FactorySounds(kept, path, mark, decoded=False)
    return FactorySounds(kit.factory_sounds(sample_rate_hz), path, mark, decoded=bool(mark))


def _mark(kit: Kit, sample_rate_hz: int) -> str:
    """What the kept sounds depend on: the manifest, and size and date of every file. "" where a
    file is missing; reading the sounds then tells which."""
    digest = hashlib.sha256(f"factory {store.FORMAT} {sample_rate_hz}".encode())
    try:
        digest.update((kit.folder / MANIFEST).read_bytes())
        for entry in kit.manifest.factory:
            status = (kit.folder / FACTORY / entry.file).stat()
            digest.update(f"{entry.file} {status.st_size} {status.st_mtime_ns}\n".encode())
    except OSError:
        return ""
    return digest.hexdigest()
