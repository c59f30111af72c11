"""The table of export formats, and writing one whole or not at all. Main thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gan808 import atomic
from gan808.errors import ConfigError, Gan808Error
from gan808.exchange import decent_sampler, hydrogen, sf2, sfz, wav_folder
from gan808.exchange.exported_kit import ExportedKit


@dataclass(frozen=True, slots=True)
class Format:
    """write: fills an empty folder, or where `one_file` writes that file. Raises OSError."""

    write: Callable[[ExportedKit, Path], None]
    one_file: bool = False


FORMATS: Mapping[str, Format] = MappingProxyType({
    "wav": Format(wav_folder.write),
    "sfz": Format(sfz.write),
    "h2drumkit": Format(hydrogen.write, one_file=True),
    "sf2": Format(sf2.write, one_file=True),
    "dspreset": Format(decent_sampler.write),
})


def require_format(name: str) -> Format:
    """The format of that name. Raises ConfigError."""
    if name not in FORMATS:
        raise ConfigError(f"format {name[:80]!r}: give one of {', '.join(FORMATS)}")
    return FORMATS[name]


def require_place(out: Path, export_format: Format) -> None:
    """Raise ConfigError where that format may not be written to `out`."""
    if out.is_dir() and not out.is_symlink() and not export_format.one_file:
        if any(out.iterdir()):
            raise ConfigError(f"{out}: holds something, so it is left alone; choose another name")
    elif out.exists() or out.is_symlink():
        raise ConfigError(f"{out}: is there already, so it is left alone; choose another name")


def write_export(kit: ExportedKit, export_format: Format, out: Path) -> None:
    """Write the kit to `out`, whole or not at all. Raises Gan808Error."""
    require_place(out, export_format)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if export_format.one_file:
            with atomic.replacing_file(out) as unfinished:
                export_format.write(kit, unfinished)
        else:
            with atomic.replacing_folder(out) as unfinished:
                export_format.write(kit, unfinished)
    except (OSError, RuntimeError) as error:  # soundfile's are RuntimeErrors
        raise Gan808Error(f"{out}: cannot be written: {error}") from error
