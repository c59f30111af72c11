"""Kits on their way from one machine to another: one file, a ZIP that any program opens.

    NAME/kit.toml and so on    the kit's own files, nothing else
    NAME/SHA256SUMS            their digests, as sha256sum writes and checks them

A packed kit comes from anybody: what it says of itself is checked before it is believed, and
nothing of it is where kits are before all of it is verified. Main thread.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from gan808 import atomic, ownership
from gan808.errors import ConfigError, KitError
from gan808.paths import ordinary
from gan808.sound.kit.kit import FACTORY, MANIFEST, MOMENTS, WEIGHTS, load_kit
from gan808.sound.kit.manifest import NAME_PATTERN

SUFFIX, SUMS, REPORT = ".gan808.zip", "SHA256SUMS", "report"
MOST_FILES, MOST_BYTES, MOST_PACKED_BYTES, MOST_SUMS_BYTES = 2000, 1 << 29, 1 << 27, 1 << 20
# Of no kit's file is a part called otherwise; on every system such a name stays in its folder.
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@~=-]{0,119}")
_SUM = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<name>[^\n]+)")
_DATE = (1980, 1, 1, 0, 0, 0)  # the same kit packs to the same bytes
_CHUNK = 1 << 20


def pack_kit(folder: Path, out: Path) -> str:
    """Write the kit in `folder` into the file `out`, where nothing may be; the file's SHA-256.
    Raises Gan808Error."""
    kit = load_kit(folder)
    if out.exists() or out.is_symlink():
        raise ConfigError(f"{out}: is there already, so it is left alone; choose another name")
    try:
        sums = []
        with atomic.replacing_file(out, durable=True) as unfinished, zipfile.ZipFile(
            unfinished, "w", zipfile.ZIP_DEFLATED
        ) as archive:
            for path in _files(folder, [entry.file for entry in kit.manifest.factory]):
                name = path.relative_to(folder).as_posix()
                content = path.read_bytes()
                sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
                archive.writestr(zipfile.ZipInfo(f"{kit.name}/{name}", _DATE), content,
                                 zipfile.ZIP_DEFLATED)
            archive.writestr(zipfile.ZipInfo(f"{kit.name}/{SUMS}", _DATE), "".join(sums))
        return _digest(out)
    except OSError as error:
        raise KitError(f"{out}: cannot be written ({error.strerror or error})") from error


def _files(folder: Path, factory: list[str]) -> Iterator[Path]:
    """What a kit is made of, and the pictures and scores of its report."""
    yield from (folder / name for name in (MANIFEST, WEIGHTS, MOMENTS))
    yield from (folder / FACTORY / name for name in sorted(set(factory)))
    for path in sorted((folder / REPORT).glob("*")):
        if path.is_file() and not path.is_symlink() and _PART.fullmatch(path.name):
            yield path


def add_kit(file: Path, kits: Path, taken: set[str], name: str | None = None) -> tuple[str, str]:
    """Verify a packed kit and put it among the kits: its name and the file's SHA-256.

    kits: the user's folder; taken: names of kits there are; name: instead of its own. Nothing is
    left of a kit that cannot be used. Raises Gan808Error.
    """
    try:
        if ordinary(file).st_size > MOST_PACKED_BYTES:
            raise KitError(f"{file}: larger than a kit can be")
        with zipfile.ZipFile(file) as archive:
            members = _members(file, archive)
            wanted = name or _name(file, members)
            if not re.fullmatch(NAME_PATTERN, wanted):
                raise ConfigError(f"kit {wanted[:80]!r}: give letters, digits, - and _ only")
            if wanted in taken or (kits / wanted).exists() or (kits / wanted).is_symlink():
                raise ConfigError(f"kit {wanted!r}: there is one already; choose another with "
                                  "--name, or remove that one first")
            with atomic.replacing_folder(kits / wanted, durable=True) as unfinished:
                _unpack(file, archive, members, unfinished / wanted)
                _verify(file, unfinished / wanted)
                ownership.mark(unfinished / wanted, ownership.KIT)
                for path in list((unfinished / wanted).iterdir()):
                    path.rename(unfinished / path.name)
                (unfinished / wanted).rmdir()
        return wanted, _digest(file)
    except FileNotFoundError as error:
        raise ConfigError(f"{error.filename or file}: is not there") from error
    # RuntimeError: packed in a way this Python cannot unpack, or encrypted.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise KitError(f"{file}: is no packed kit, or damaged ({error})") from error
    except OSError as error:
        raise KitError(f"{kits}: the kit cannot be put there ({error.strerror or error})"
                       ) from error


def require_removable(name: str, kits: Path, shipped: Path) -> Path:
    """The folder of a kit of the user's. Raises ConfigError for one that ships, is not there, or
    holds what is no part of a kit."""
    folder = kits / name
    if not re.fullmatch(NAME_PATTERN, name):
        raise ConfigError(f"kit {name[:80]!r}: give the name of a kit, not a path")
    if folder.is_symlink() or not folder.is_dir():
        if (shipped / name).is_dir():
            raise ConfigError(f"kit {name!r}: ships with GAN-808 and stays")
        raise ConfigError(f"kit {name!r}: is not in {kits}; gan808 kits list names those there are")
    try:
        ours = ownership.is_ours(folder, ownership.KIT)
        strange = [*ownership.strangers(folder, ownership.KIT), *_strange_files(folder)]
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be looked into ({error.strerror})") from error
    if not ours or strange:
        named = f" (it holds {', '.join(strange[:ownership.SHOWN])})" if strange else ""
        raise ConfigError(f"{folder}: is not only a kit of GAN-808's{named}, so it is left alone")
    return folder


def remove_kit(name: str, kits: Path, shipped: Path) -> Path:
    """Take a kit of the user's away, whole; its folder. Raises Gan808Error."""
    folder = require_removable(name, kits, shipped)
    try:
        atomic.remove_folder(folder)
    except OSError as error:
        raise KitError(f"{folder}: cannot be removed ({error.strerror})") from error
    return folder


def _strange_files(folder: Path) -> list[str]:
    """What lies among the kit's sounds and in its report and is no part of them."""
    factory, report = folder / FACTORY, folder / REPORT
    there = sorted(path.name for path in factory.iterdir()) if factory.is_dir() else []
    try:
        own = {entry.file for entry in load_kit(folder).manifest.factory}
    except KitError:  # a broken kit can be removed too
        own = {name for name in there if name.endswith((".flac", ".wav"))}
    strange = [f"{FACTORY}/{name}" for name in there if name not in own]
    if report.is_dir():
        strange += [f"{REPORT}/{name}" for name in ownership.strangers(report, ownership.REPORT)]
    return strange


Members = dict[PurePosixPath, zipfile.ZipInfo]


def _members(file: Path, archive: zipfile.ZipFile) -> Members:
    """The archive's files by path, if they may be a kit. Raises KitError."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise KitError(f"{file}: larger than a kit can be")
    members: Members = {}
    for entry in entries:
        path = PurePosixPath(entry.filename)
        parts = entry.filename.split("/")
        if not 2 <= len(parts) <= 3 or not all(_PART.fullmatch(part) for part in parts):
            raise KitError(f"{file}: holds {entry.filename[:80]!r}, which is no file of a kit")
        if path in members:
            raise KitError(f"{file}: holds {entry.filename[:80]!r} twice")
        members[path] = entry
    return members


def _name(file: Path, members: Members) -> str:
    """The one folder in it. Raises KitError."""
    names = {path.parts[0] for path in members}
    if len(names) != 1:
        raise KitError(f"{file}: holds {len(names)} folders, not one kit")
    return names.pop()


def _unpack(file: Path, archive: zipfile.ZipFile, members: Members, folder: Path) -> None:
    inside = _name(file, members)
    listed = members.get(PurePosixPath(inside, SUMS))
    if listed is None or listed.file_size > MOST_SUMS_BYTES:
        raise KitError(f"{file}: no {SUMS} in it, so it is no packed kit; gan808 kits pack makes "
                       "one")
    lines = archive.read(listed).decode("utf-8").splitlines()
    sums = {m["name"]: m["digest"] for m in map(_SUM.fullmatch, lines) if m is not None}
    names = {path.relative_to(inside).as_posix(): entry for path, entry in members.items()}
    del names[SUMS]
    if set(sums) != set(names) or len(sums) != len(lines):
        raise KitError(f"{file}: its {SUMS} does not name what it holds")
    for name, entry in names.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as packed, target.open("xb") as unpacked:
            if _copied(packed, unpacked, entry.file_size) != sums[name]:
                raise KitError(f"{file}: {name} is damaged: its checksum is another")


def _copied(source: IO[bytes], target: IO[bytes], size: int) -> str:
    """Copy at most `size` bytes; their SHA-256."""
    digest, left = hashlib.sha256(), size
    while left > 0 and (chunk := source.read(min(left, _CHUNK))):
        digest.update(chunk)
        target.write(chunk)
        left -= len(chunk)
    return digest.hexdigest()


def _verify(file: Path, folder: Path) -> None:
    from gan808.sound.kit.verify import verify_kit  # which loads the renderer

    problems = verify_kit(folder)
    problems += [f"{name} is no file of a kit" for name in (
        *ownership.strangers(folder, ownership.KIT), *_strange_files(folder))]
    if problems:
        raise KitError(f"{file}: {problems[0].removeprefix(f'{folder}').lstrip(':/ ')}")


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
