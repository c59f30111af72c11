"""The fake library with scenes: what was saved is kept in a dictionary, as it was given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from gan808.errors import ConfigError
from gan808.instrument.state import State
from gan808.sequencer.song import Song
from gan808.sound.sound import FileId, Sound, digest
from tests.fakes import FakeKit, FakeLibrary, fake_sound


@dataclass
class SceneLibrary(FakeLibrary):
    """Scenes by name. `full`: a disk on which nothing can be saved."""

    scenes: dict[str, State] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # what they hold, by name
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

    def sound_file_names(self) -> list[str]:
        return sorted(self.files)

    def sound_file(self, name: str) -> Path:
        if name not in self.files:
            raise ConfigError(f"{name!r} is no sound file in imports")
        return Path("imports") / name

    def load_sound(self, name: str, kit: FakeKit, class_name: str, rate_hz: int) -> Sound:
        self.sound_file(name)
        sound = fake_sound(class_name, kit=kit.name, rate_hz=rate_hz)
        return replace(sound, file=f"{name}@{digest(self.files[name])}")

    def reload_sound(self, wanted: FileId, kit: FakeKit, rate_hz: int) -> Sound:
        sound = self.load_sound(wanted.name, kit, wanted.class_name, rate_hz)
        if not sound.file.endswith(wanted.digest):
            raise ConfigError(f"{wanted.name}: holds another sound than it did")
        return sound

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
