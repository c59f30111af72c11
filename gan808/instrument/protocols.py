"""What the machine needs from the parts it is given, as protocols: kit, pool, filler, library.

The real parts satisfy them by shape, and so do the fakes of the tests. No thread, no state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from gan808.errors import Gan808Error
from gan808.instrument.state import State
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.song import Song
from gan808.sound.kit.slots import SlotLayout
from gan808.sound.latent import Point
from gan808.sound.sound import FileId, Nearest, Rendered, Sound

DescriptorName = Literal["length_s", "brightness_hz", "pitch_hz", "loudness_db"]


class KitLike(Protocol):
    """A kit's name, classes, slots and ready sounds."""

    @property
    def name(self) -> str: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def slots(self) -> tuple[SlotLayout, ...]: ...

    def factory_sounds(self, sample_rate_hz: int) -> list[Sound]: ...

    def balanced(self, audio: np.ndarray, sample_rate_hz: int, class_name: str) -> np.ndarray: ...


class PoolLike(Protocol):
    """The stock of ready sounds."""

    def take(
        self, class_name: str, third: int | None = None, *, width: float = 0.0
    ) -> Sound | None: ...

    def take_by(
        self,
        class_name: str,
        descriptor: DescriptorName,
        value: float,
        *,
        above: bool,
        third: int | None = None,
        width: float = 0.0,
    ) -> Sound | None: ...

    def want(self, widths: Mapping[str, Iterable[float]]) -> None: ...

    def put(self, sound: Sound) -> bool: ...

    def stock(self) -> dict[str, int]: ...

    def sounds(self) -> list[Sound]: ...


class FillerStatusLike(Protocol):
    """What the filler has done."""

    @property
    def ready(self) -> bool: ...
    @property
    def rendered(self) -> int: ...
    @property
    def filed(self) -> int: ...


class FillerLike(Protocol):
    """The way to sounds that are not in stock, and to other kits."""

    def request(
        self, class_name: str, seed: int | Point, deliver: Callable[[Sound | Gan808Error], None]
    ) -> None: ...

    def request_points(
        self,
        class_name: str,
        points: Sequence[Point],
        deliver: Callable[[list[Rendered] | Gan808Error], None],
    ) -> None: ...

    def search(
        self,
        file: Path,
        class_names: Sequence[str],
        deliver: Callable[[Nearest | Gan808Error], None],
    ) -> None: ...

    def status(self) -> FillerStatusLike: ...

    def load_kit(self, kit: Any, deliver: Callable[[Any], None]) -> None: ...

    def adopt_kit(self, kit: Any) -> None: ...

    def give_up_kit(self, kit: Any) -> None: ...


class LibraryLike(Protocol):
    """The user's folders: kits to load, favourites, exports, patterns, scenes."""

    def kit_names(self) -> list[str]: ...

    def kit(self, name: str) -> KitLike: ...

    def kit_at(self, place: str) -> KitLike: ...

    def kit_place(self, kit: Any) -> str: ...

    def keep(self, sound: Sound) -> Path: ...

    def save_kit(self, kit: Any, sounds: Sequence[Sound], name: str) -> Path: ...

    def export(self, sound: Sound, name: str) -> Path: ...

    def export_kit(
        self, kit: Any, state: State, format_name: str, rate_hz: int, name: str
    ) -> Path: ...

    def pattern(self, name: str, slots: Sequence[SlotLayout] = ...) -> Pattern: ...

    def own_pattern(self, name: str, slots: Sequence[SlotLayout] = ...) -> Pattern: ...

    def save_pattern(self, pattern: Pattern, name: str) -> Path: ...

    def pattern_names(self) -> list[str]: ...

    def song(self, name: str) -> Song: ...

    def own_song(self, name: str) -> Song: ...

    def song_names(self) -> list[str]: ...

    def sound_file_names(self) -> list[str]: ...

    def sound_file(self, name: str) -> Path: ...

    def load_sound(self, name: str, kit: Any, class_name: str, rate_hz: int) -> Sound: ...

    def reload_sound(self, wanted: FileId, kit: Any, rate_hz: int) -> Sound: ...

    def scene_names(self) -> list[str]: ...

    def scene(self, name: str, sample_rate_hz: int) -> State: ...

    def save_scene(self, name: str, scene: State) -> Path: ...

    def delete_scene(self, name: str) -> None: ...
