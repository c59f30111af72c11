"""Learned controls from one run to the next: a TOML file that people can read and change.

Read before the machine starts; written on the disk's thread each time something is learned, whole
or not at all. A file that cannot be read is renamed, and a line says so.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from gan808 import atomic
from gan808.paths import ordinary
from gan808.toml_json import from_toml

HEAD = "What `gan808 learn` has learned: kind, channel and number of a control = what it moves."
DAMAGED = ".damaged"
log = logging.getLogger("gan808")


def load(path: Path) -> dict[str, str]:
    """Control -> target; empty where there is no file. A damaged one is moved out of the way."""
    try:
        ordinary(path)
        found = from_toml(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        log.warning("%s: learned controls cannot be read: %s", path, error.strerror)
        return {}
    except ValueError as error:
        return _set_aside(path, str(error))
    if not all(isinstance(value, str) for value in found.values()):
        return _set_aside(path, "a control moves an address in quotes")
    return found


def save(path: Path, learned: Mapping[str, str]) -> None:
    """Write them. A full disk is logged, not raised: they hold until the end of the run."""
    import tomlkit  # when first needed, as a start should not wait for it

    content = tomlkit.document()
    content.add(tomlkit.comment(HEAD))
    for control, target in learned.items():
        content.add(tomlkit.key(_writable(control)), tomlkit.string(_writable(target)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(path, tomlkit.dumps(content), durable=True)
    except OSError as error:
        log.warning("%s: cannot be written: %s; what was learned lasts until the end of this run",
                    path, error.strerror)


def _writable(text: str) -> str:
    """A text without what UTF-8 cannot hold: the name of a port may be any bytes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _set_aside(path: Path, why: str) -> dict[str, str]:
    aside = path.with_name(path.name + DAMAGED)
    try:
        path.replace(aside)
    except OSError as error:
        log.warning("%s: damaged (%s), and cannot be moved: %s", path, why, error.strerror)
    else:
        log.warning("%s: damaged (%s); set aside as %s, nothing is learned", path, why, aside.name)
    return {}
