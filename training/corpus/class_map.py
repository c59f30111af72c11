"""`classes.toml`: which folder is which class, where names do not say it or say it otherwise.

    snare_off = "snare"     # a folder of that name, at any depth, or a class of the index
    Zaps = "ignore"
    "*" = "ignore"          # every folder that no line names; without it, names decide
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gan808.errors import CorpusError
from gan808.sound.kit.manifest import CLASS_PATTERN
from gan808.toml_json import from_toml

FILE = "classes.toml"
IGNORE = "ignore"
OTHERS = "*"


@dataclass(frozen=True)
class ClassMap:
    """given: class or IGNORE by folder name, as `key` makes it."""

    given: Mapping[str, str] = field(default_factory=dict)

    def of(self, names: Iterable[str]) -> str | None:
        """What is given for the first of the names that has a line; None when nothing is."""
        for name in names:
            if (found := self.given.get(key(name))) is not None:
                return found
        return self.given.get(OTHERS)


def key(name: str) -> str:
    """A name as it is compared: in one case, without what separates words."""
    return name if name == OTHERS else re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def read_class_map(path: Path) -> ClassMap:
    """Raises CorpusError naming the file and the line's key."""
    try:
        content = from_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be read ({error})") from error
    for name, value in content.items():
        if not isinstance(value, str) or not re.fullmatch(CLASS_PATTERN, value):
            raise CorpusError(f'{path}: {name}: write {name} = "CLASS", lower case letters, digits '
                              f'and _, or "{IGNORE}"')
    return ClassMap({key(name): value for name, value in content.items()})
