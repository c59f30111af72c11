"""What kit.toml says in words: where a kit's training sounds came from, told in a file or by the
sources, what it is, and how loud its classes are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from gan808.errors import TrainingError
from gan808.sound.kit.manifest import Loudness, Provenance
from gan808.toml_json import from_toml

from .corpus.recording import Credit
from .dataset import Dataset, is_variant


@dataclass(frozen=True)
class KitWords:
    """description, [[provenance]] and [loudness] of a kit.toml."""

    description: str = ""
    provenance: tuple[Provenance, ...] = ()
    loudness: Loudness = field(default_factory=Loudness)


def read_provenance(path: Path) -> KitWords:
    """A TOML file with any of: description, [[provenance]] tables (source, licence, author,
    sounds), [loudness] (kick_lkfs, balance, relative). Raises TrainingError."""
    try:
        content = from_toml(path.read_text(encoding="utf-8"))
        tables = tuple(Provenance.model_validate(t) for t in content.get("provenance", []))
        loudness = Loudness.model_validate(content.get("loudness", {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TrainingError(f"{path}: {where}: {first['msg']}") from error
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"{path}: cannot be read ({error})") from error
    return KitWords(str(content.get("description", "")), tables, loudness)


def own_sounds(dataset: Dataset) -> tuple[Provenance, ...]:
    """Provenance of a kit whose maker gave none: what each source says of its packs, and how many
    sounds are of each."""
    counts = Counter(
        str(name) for origin, name in zip(dataset.origins, dataset.collections, strict=True)
        if not is_variant(origin)
    )
    found = {name: dataset.credits.get(name, Credit(name)) for name in counts}
    return tuple(
        Provenance(source=credit.source, licence=credit.licence, author=credit.author,
                   sounds=counts[name]) for name, credit in found.items()
    )
