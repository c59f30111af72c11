"""The user's folders: kits to load, favourites to keep, sounds to export, patterns of one's own,
scenes.

The only part of the machine that touches files. Machine thread only, scenes on theirs; never on the
way of a note.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gan808 import __version__, atomic, ownership, paths
from gan808.errors import ConfigError, Gan808Error, KitError
from gan808.instrument.names import ACCEPTED, is_plain_name
from gan808.instrument.protocols import KitLike
from gan808.instrument.state import State
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.song import Song
from gan808.sound.kit.kit import Kit, find_kit, list_kits
from gan808.sound.kit.slots import TR808, SlotLayout
from gan808.sound.sound import FileId, Sound
from gan808.storage.pattern_files import (
    find_own_pattern,
    find_pattern,
    pattern_names,
    save_pattern,
)

# Whoever reaches the OSC port can save; it must not fill the disk. A program change reaches 128.
MOST_KITS, MOST_SOUNDS = 128, 10_000
# Writes a kit with the sounds of a state: format, rate in Hz, where to; returns what it wrote.
ExportKit = Callable[[KitLike, State, str, int, Path], Path]


@dataclass(frozen=True)
class Library:
    """Where things are read from and written to; folders are made when first written to.

    The first of kit_folders is the user's own: kits are saved there.
    """

    kit_folders: Sequence[Path]
    pattern_folders: Sequence[Path]
    favourites: Path
    exports: Path
    scenes: Path = field(default_factory=paths.scenes_folder)
    songs: Path = field(default_factory=paths.songs_folder)
    sound_folders: Sequence[Path] = ()  # of the user's own files; the first takes in others
    exporter: ExportKit | None = None

    @classmethod
    def of_user(cls, imports: str = "", exporter: ExportKit | None = None) -> Library:
        """The folders of the user who runs this program. imports: a folder instead of the usual
        one."""
        own = Path(imports).expanduser() if imports else paths.imports_folder()
        return cls(
            kit_folders=paths.kit_folders(),
            pattern_folders=(paths.user_patterns_folder(),),
            favourites=paths.favourites_folder(),
            exports=paths.exports_folder(),
            sound_folders=(own, paths.recordings_folder()),
            exporter=exporter,
        )

    def kit_names(self) -> list[str]:
        """Names of the kits that can be read, in the order of a program change."""
        found = list_kits(self.kit_folders)
        return list(dict.fromkeys(kit.name for kit in found if isinstance(kit, Kit)))

    def kit(self, name: str) -> Kit:
        """A kit of the folders by its name, and never by a path. Raises KitError."""
        if not is_plain_name(name) or not any((f / name).is_dir() for f in self.kit_folders):
            raise KitError(f"kit {name[:80]!r} is not in the kits folders; /kit/list names those "
                           "that are")
        return find_kit(name, self.kit_folders)

    def kit_at(self, place: str) -> Kit:
        """A kit by name or path: for what the user says. Raises KitError."""
        return find_kit(place, self.kit_folders)

    def kit_place(self, kit: KitLike) -> str:
        """What `kit` finds this one again by: its name, or its folder if that is elsewhere."""
        if isinstance(kit, Kit) and kit.folder.parent not in self.kit_folders:
            return str(kit.folder.resolve())
        return kit.name

    def pattern(self, name: str, slots: Sequence[SlotLayout] = TR808) -> Pattern:
        """A pattern by name or path; slots: whose notes a MIDI file's are. Raises ConfigError."""
        return find_pattern(name, self.pattern_folders, slots)

    def own_pattern(self, name: str, slots: Sequence[SlotLayout] = TR808) -> Pattern:
        """The same for whoever reaches the OSC port: a path stays inside the user's folder."""
        return find_own_pattern(name, self.pattern_folders, slots)

    def save_pattern(self, pattern: Pattern, name: str) -> Path:
        """Write a pattern into the user's folder. Raises Gan808Error."""
        return save_pattern(pattern, name, self.pattern_folders[0])

    def pattern_names(self) -> list[str]:
        """Patterns by name, the user's and those that ship."""
        return pattern_names(self.pattern_folders)

    def song(self, name: str) -> Song:
        """A song by name or path. Raises ConfigError."""
        from gan808.storage.song_files import find_song

        return find_song(name, self.songs)

    def own_song(self, name: str) -> Song:
        """The same for whoever reaches the OSC port: never a path. Raises ConfigError."""
        from gan808.storage.song_files import find_own_song

        return find_own_song(name, self.songs)

    def song_names(self) -> list[str]:
        """The user's songs."""
        from gan808.storage.song_files import song_names

        return song_names(self.songs)

    def keep(self, sound: Sound) -> Path:
        """Write a sound to the favourites as FLAC and return the file. Raises Gan808Error.

        The name is the sound's identity, so keeping it twice changes nothing. Where a file of
        somebody else's has that name, it gets a number.
        """
        path = self.favourites / f"{sound.file_stem()}.flac"
        try:
            path = ownership.numbered(path)
        except OSError as error:
            raise Gan808Error(f"{path}: cannot be looked at: {error.strerror}") from error
        return _write(sound, path)

    def save_kit(self, kit: KitLike, sounds: Sequence[Sound], name: str) -> Path:
        """Write these sounds and the kit's networks as a kit of the user's. Raises Gan808Error.

        A kit that is there already is never replaced.
        """
        if not isinstance(kit, Kit):
            raise KitError(f"kit {kit.name!r} is not on disk, so it cannot be saved")
        _require_room(self.kit_folders[0], MOST_KITS)
        from gan808.storage.kit_saving import save_sounds_as_kit

        return save_sounds_as_kit(kit, sounds, self.kit_folders[0], name)

    def export(self, sound: Sound, name: str) -> Path:
        """Write a sound as a 24-bit WAV of that name among the exports. Raises Gan808Error.

        Only a plain name is taken: whoever reaches the OSC port must not choose the folder. A file
        of that name that this program did not write is left alone.
        """
        return _write(sound, self.exports / f"{self._stem(name, '.wav')}.wav")

    def export_kit(
        self, kit: KitLike, state: State, format_name: str, rate_hz: int, name: str
    ) -> Path:
        """Write the kit with the sounds of a state in another program's format, under that name
        among the exports, where nothing of that name may be. Raises Gan808Error."""
        place = self.exports / self._stem(name, f".{format_name}")
        if self.exporter is None:
            raise Gan808Error("this run cannot export kits")
        _require_room(self.exports, MOST_KITS, but=".wav")
        return self.exporter(kit, state, format_name, rate_hz, place)

    def _stem(self, name: str, suffix: str) -> str:
        """The name without that suffix, where it is a plain file name. Raises ConfigError."""
        stem = name.removesuffix(suffix)
        if not is_plain_name(stem):
            raise ConfigError(f"{name[:80]!r} is no file name; give {ACCEPTED}: the file goes to "
                              f"{self.exports}")
        return stem

    def sound_file_names(self) -> list[str]:
        """The user's own sound files, sorted."""
        from gan808.storage.sound_files import sound_file_names

        return sound_file_names(self.sound_folders)

    def sound_file(self, name: str) -> Path:
        """The file of that name among them, and never by a path. Raises ConfigError."""
        from gan808.storage.sound_files import find_sound_file

        return find_sound_file(name, self.sound_folders)

    def load_sound(self, name: str, kit: KitLike, class_name: str, rate_hz: int) -> Sound:
        """That file as a sound for a slot of the kit's class. Raises Gan808Error."""
        from gan808.storage.sound_files import load_sound_file

        return load_sound_file(self.sound_file(name), kit, class_name, rate_hz)

    def reload_sound(self, wanted: FileId, kit: KitLike, rate_hz: int) -> Sound:
        """The very sound of a file's id. Raises Gan808Error where the file holds another now."""
        from gan808.storage.sound_files import reload_sound_file

        return reload_sound_file(wanted, self.sound_folders, kit, rate_hz)

    def scene_names(self) -> list[str]:
        """The scenes there are, sorted."""
        from gan808.storage.scene_files import scene_names

        return scene_names(self.scenes)

    def scene(self, name: str, sample_rate_hz: int) -> State:
        """A scene with its sounds at that rate. Raises Gan808Error."""
        from gan808.storage.scene_files import load_scene

        return load_scene(self.scenes, name, sample_rate_hz)

    def save_scene(self, name: str, scene: State) -> Path:
        """Write a scene, over one of that name, and return its file. Raises Gan808Error."""
        from gan808.storage.scene_files import save_scene

        return save_scene(self.scenes, name, scene)

    def delete_scene(self, name: str) -> None:
        """Raises Gan808Error for a scene that is not there."""
        from gan808.storage.scene_files import delete_scene

        delete_scene(self.scenes, name)


def _require_room(folder: Path, most: int, but: str = "*") -> None:
    """Raises Gan808Error where a folder has that many entries; but: those of that suffix are not
    counted."""
    try:
        entries = sum(path.suffix != but for path in folder.iterdir())
    except OSError:  # not there yet; or what is wrong with it shows when it is written to
        return
    if entries >= most:
        raise Gan808Error(f"{folder}: {entries} are there already; move some elsewhere")


def _write(sound: Sound, path: Path) -> Path:
    if not path.exists():
        _require_room(path.parent, MOST_SOUNDS)
    try:
        if not ownership.is_replaceable_sound(path):
            raise Gan808Error(f"{path}: is there, and GAN-808 did not write it, so it is left "
                              "alone; give another name or folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, _packed(sound, path.suffix[1:].upper()), durable=True)
    except OSError as error:
        raise Gan808Error(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def _packed(sound: Sound, format_name: str) -> bytes:
    """A sound as the content of a file. In memory first: of a full disk libsndfile knows nothing to
    say."""
    import soundfile  # when first needed, as a start should not wait for it

    packed = io.BytesIO()
    with soundfile.SoundFile(packed, "w", sound.sample_rate_hz, len(sound.channels), "PCM_24",
                             format=format_name) as file:
        file.title = sound.id
        file.software = f"{ownership.SOFTWARE} {__version__}"
        file.comment = (
            f"id={sound.id} heard={sound.class_heard} confidence={sound.confidence:.3f} "
            f"realness={sound.realness:.3f}"
        )
        file.write(sound.audio)
    return packed.getvalue()
