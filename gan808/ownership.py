"""Which folders and files this program made: only those may it delete or replace. No thread of its
own; whoever writes into the user's folders asks here first.

A folder that a command makes holds a file MARK, one line of JSON: the kind of folder and, where
that tells one from another, an id. What versions before the mark wrote is known by what it holds.
A folder that holds anything else besides is never replaced: that was put there by somebody.
A sound file says by its software tag, or an id as its comment, that it is ours.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from gan808.errors import ConfigError
from gan808.toml_json import from_json

MARK = ".gan808"
MAX_MARK_BYTES = 4096
SOFTWARE = "GAN-808"  # how the software tag of a sound file begins
LOCK, LOCK_HOLDER = ".lock", ".lock.json"  # training/locks.py
# What file managers leave in every folder that they show.
STRAY = (".DS_Store", "._*", "Thumbs.db", "desktop.ini", "Icon\r", ".directory")
SHOWN = 3  # so many strange names are told
_NEW, _OLD = ".gan808-new", ".gan808-old"


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder. holds: patterns of all that this program writes there; signs: by what a
    folder without a mark is known: all patterns of one of them are found in it."""

    name: str
    holds: tuple[str, ...]
    signs: tuple[tuple[str, ...], ...]


DATASET = FolderKind(
    "dataset",
    ("dataset.json", "labels.npy", "held_out.npy", "reported.npy", "moments.npz", "origins.txt",
     "collections.txt", "skipped.txt", "shard-*.npy", "sources.sha256", "sources.json",
     "judge-*.safetensors", "judge-*.writing", LOCK, LOCK_HOLDER),
    (("dataset.json", "labels.npy"),),
)
UNFINISHED_DATASET = FolderKind(  # with the same mark: it is renamed when it is complete
    "dataset",
    (*DATASET.holds, "preparing.json", "progress.npz", "progress.writing.npz", "audio.i16",
     "index.jsonl"),
    (("preparing.json",),),
)
RUN = FolderKind(
    "run",
    ("checkpoints", "samples", "tensorboard", "losses.csv", "scores.csv", "events.csv", LOCK,
     LOCK_HOLDER),
    (("checkpoints/step-????????/state.json",), ("checkpoints/best/state.json",),
     ("tensorboard", "events.csv")),
)
KIT = FolderKind(
    "kit",
    ("kit.toml", "weights.safetensors", "moments.npz", "factory", "report"),
    (("kit.toml", "weights.safetensors", "moments.npz"),),
)
REPORT = FolderKind(
    "report",
    ("README.md", "report.html", "scores.json", "scores.png", "losses.png", "confusion.png",
     "spectrograms.png", "sounds.ogg", "training.gif"),
    (("README.md", "spectrograms.png", "sounds.ogg"),),
)

def mark(folder: Path, kind: FolderKind, identity: str | None = None) -> None:
    """Mark a folder as one of ours, with an id where it has one. Raises OSError."""
    content = {"made_by": "GAN-808", "kind": kind.name} | ({"id": identity} if identity else {})
    (folder / MARK).write_text(json.dumps(content) + "\n", encoding="utf-8")


def new_identity() -> str:
    """An id that nothing else has."""
    return uuid.uuid4().hex


def identity_of(folder: Path, kind: FolderKind) -> str | None:
    """The id in a folder's mark; None without a mark of that kind."""
    content = _mark_of(folder)
    if content.get("kind") != kind.name:
        return None
    return str(content.get("id", "")) or None


def _mark_of(folder: Path) -> dict[str, Any]:
    path = folder / MARK
    try:
        if not path.is_file() or path.stat().st_size > MAX_MARK_BYTES:
            return {}
        content = from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def is_ours(folder: Path, kind: FolderKind) -> bool:
    """Whether this program made the folder, by its mark or, without one, by what it holds."""
    content = _mark_of(folder)
    if content:
        return content.get("kind") == kind.name
    return any(all(any(folder.glob(name)) for name in names) for names in kind.signs)


def strangers(folder: Path, kind: FolderKind) -> list[str]:
    """Names of what lies in the folder and is no part of that kind, sorted. Raises OSError."""
    known = (*kind.holds, MARK, *STRAY)
    return sorted(path.name for path in folder.iterdir()
                  if not any(fnmatch(path.name, pattern) for pattern in known))


def require_free(folder: Path, kind: FolderKind, option: str, sources: Sequence[Path] = ()) -> None:
    """Raise ConfigError unless `folder` may be made, written into or replaced as one of `kind`: it
    is not there, empty, or ours with nothing else in it; and is not, does not hold and does not lie
    in one of `sources`. option: what the user can give otherwise."""
    for source in sources:
        require_apart(folder, source, kind, option)
    _require_no_stranger(folder, kind, option, whole=True)


def require_ours(folder: Path, kind: FolderKind, option: str) -> None:
    """As require_free, for a command that adds to a folder: other files in one of our folders are
    let be."""
    _require_no_stranger(folder, kind, option, whole=False)


def _require_no_stranger(folder: Path, kind: FolderKind, option: str, *, whole: bool) -> None:
    try:
        if not folder.exists():
            return
        if not folder.is_dir():
            raise ConfigError(f"{folder}: is a file; give {option}")
        strange = strangers(folder, kind)
        empty = not strange and all(
            any(fnmatch(path.name, pattern) for pattern in STRAY) for path in folder.iterdir())
        ours = is_ours(folder, kind)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be looked into ({error.strerror}); give "
                          f"{option}") from error
    named = ", ".join(strange[:SHOWN]) + (" ..." if len(strange) > SHOWN else "")
    if not ours and not empty:
        holds = f" (it holds {named})" if named else ""
        raise ConfigError(f"{folder}: is there and is no {kind.name} of GAN-808's{holds}, so it "
                          f"is left alone; give {option}")
    if whole and strange:
        raise ConfigError(f"{folder}: would be replaced, but holds {named}, which GAN-808 did not "
                          f"write; move that elsewhere or give {option}")


def require_apart(folder: Path, source: Path, kind: FolderKind, option: str) -> None:
    """Raise ConfigError when `folder` is, holds or lies in `source`, whatever links lead there."""
    try:
        inner, outer = folder.resolve(), source.resolve()
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be found out ({error.strerror}); give "
                          f"{option}") from error
    if inner == outer:
        how = f"is {source} itself"
    elif outer in inner.parents:
        how = f"lies in {source}"
    elif inner in outer.parents:
        how = f"holds {source}"
    else:
        return
    raise ConfigError(f"{folder}: {how}, so the {kind.name} cannot go there; give {option}")


def followed(folder: Path) -> Path:
    """Where a link leads: what it stands for is replaced, not the link."""
    return folder.resolve() if folder.is_symlink() else folder


def being_written(folder: Path) -> Path:
    """The hidden folder in which a new version of `folder` is put together. What a killed process
    left there is removed. Raises OSError."""
    new = folder.with_name(f".{folder.name}{_NEW}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    return new


def put_in_place(new: Path, folder: Path) -> None:
    """Give `new` the name `folder`; what was there, which the caller has made sure is ours, is
    deleted once the new is in its place. Raises OSError."""
    old = folder.with_name(f".{folder.name}{_OLD}")
    if old.exists() and not folder.exists():  # killed between the two renames
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def earlier_goes_to(
    folder: Path, kind: FolderKind, identity: str | None, option: str
) -> Path | None:
    """Where what is in `folder` must be set aside before something with that id is put there: a
    dated name, if another made it or somebody added to it; None if it may be replaced or nothing
    is there. Raises ConfigError when it is not ours, OSError."""
    if not folder.exists():
        return None
    require_ours(folder, kind, option)
    same = identity is not None and identity_of(folder, kind) == identity
    if (same and not strangers(folder, kind)) or not any(folder.iterdir()):
        return None
    return dated(folder)


def dated(folder: Path, now: datetime | None = None) -> Path:
    """A name beside `folder`, with the date and time in it, that nothing has yet."""
    name = f"{folder.name}-{(now or datetime.now()):%Y-%m-%d-%H%M%S}"
    path, number = folder.with_name(name), 2
    while path.exists():
        path, number = folder.with_name(f"{name}-{number}"), number + 1
    return path


def is_replaceable_sound(path: Path) -> bool:
    """Whether a sound file of ours may be written there: nothing is, or nothing in it (what a full
    disk leaves), or this program wrote what is. Raises OSError when it cannot be looked at."""
    import soundfile  # when first needed, as a start should not wait for it

    if path.is_symlink() or not path.exists():  # a link is replaced, never what it leads to
        return True
    if path.is_file() and path.stat().st_size == 0:
        return True
    if not path.is_file():
        return False
    try:
        with soundfile.SoundFile(path) as file:
            return str(file.software).startswith(SOFTWARE) or str(file.comment).startswith("id=")
    except soundfile.LibsndfileError:
        return False


def numbered(path: Path) -> Path:
    """`path`, or the first NAME-2, NAME-3 ... beside it, where a sound may be written. Raises
    OSError."""
    free, number = path, 1
    while not is_replaceable_sound(free):
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
