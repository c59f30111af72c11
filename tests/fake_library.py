"""The fake shelf with scenes: what was saved is kept in a dictionary, as it was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gan808.errors import ConfigError
from gan808.instrument.state import State
from gan808.sequencer.song import Song
from tests.fakes import FakeKit, FakeShelf


@dataclass
class SceneShelf(FakeShelf):
    """Scenes by name. `full`: a disk on which nothing can be saved."""

    scenes: dict[str, State] = field(default_factory=dict)
    full: bool = False
    songs: dict[str, Song] = field(default_factory=dict)

    def own_song(self, name: str) -> Song:
        if name not in self.songs:
            raise ConfigError(f"song {name!r}: no such song")
        return self.songs[name]

    song = own_song

    def song_names(self) -> list[str]:
        return sorted(self.songs)

    def kit_place(self, kit: FakeKit) -> str:
        return kit.name

    def scene_names(self) -> list[str]:
        return sorted(self.scenes)

    def scene(self, name: str, sample_rate_hz: int) -> State:
        if name not in self.scenes:
            raise ConfigError(f"scene {name!r}: no such scene; there is: none")
        return self.scenes[name]

    def save_scene(self, name: str, scene: State) -> Path:
        if self.full:
            raise ConfigError(f"scenes/{name}.scene: cannot be written: No space left on device")
        self.scenes[name] = scene
        return Path("scenes") / name

    def delete_scene(self, name: str) -> None:
        self.scene(name, 0)
        del self.scenes[name]
