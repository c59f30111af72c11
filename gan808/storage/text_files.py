"""Small text files of the user's: patterns and songs. Any thread."""

from __future__ import annotations

from pathlib import Path

from gan808.errors import ConfigError
from gan808.paths import ordinary


def read_text(file: Path, most_bytes: int, kind: str) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark.

    kind: what it should be, in a word. Raises ConfigError, one line.
    """
    try:
        if ordinary(file).st_size > most_bytes:
            raise ConfigError(f"{file}: too large for a {kind}")
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not text in UTF-8: {error.reason}") from error
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # a zero byte in the path
        raise ConfigError(f"{str(file)!r}: {error}") from error
