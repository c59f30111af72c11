"""Songs: patterns and scenes one after the other, each for so many bars. Pure; no thread.

A song file is TOML: a name, whether it repeats, and a [[part]] for each part.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gan808.errors import ConfigError
from gan808.toml_json import from_toml

MOST_PARTS, MOST_BARS = 256, 9999


class Part(BaseModel):
    """bars of a pattern, or of a scene and its pattern, or of both: then the pattern is this."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: str = ""
    scene: str = ""
    bars: int = Field(default=4, ge=1, le=MOST_BARS)

    @model_validator(mode="after")
    def _plays(self) -> Part:
        if not (self.pattern or self.scene):
            raise ValueError("give it a pattern, a scene, or both")
        return self


class Song(BaseModel):
    """Parts in their order. repeat: after the last comes the first; otherwise it stops."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    description: str = ""
    repeat: bool = True
    part: Annotated[tuple[Part, ...], Field(min_length=1, max_length=MOST_PARTS)]


def parse_song(text: str, source: str) -> Song:
    """Read a song file's text. Raises ConfigError naming the source and what is wrong."""
    try:
        return Song.model_validate(from_toml(text))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(key + 1 if isinstance(key, int) else key) for key in problem["loc"])
        what = problem["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{source}: {where}: {what}" if where else f"{source}: {what}") from error
    except ValueError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error


class SongPosition:
    """Where a song is, bar by bar. part: the number, from 0, of the one that plays."""

    def __init__(self, song: Song) -> None:
        self.song = song
        self.part = 0
        self._next: int | None = 0
        self._bars = 0

    def begin_bar(self) -> int | None:
        """A bar begins: the number of the part that begins with the bar after it.

        None where the same goes on; len(song.part) where the song is over then.
        """
        if self._next is not None:
            self.part, self._next, self._bars = self._next, None, 0
        self._bars += 1
        parts = self.song.part
        if self._bars < parts[self.part].bars:
            return None
        following = self.part + 1
        if following == len(parts) and not self.song.repeat:
            return following
        self._next = following % len(parts)
        return self._next
