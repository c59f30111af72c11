"""What /seq/song and /seq/part do: patterns and scenes by themselves, each at its bar. Machine
thread only; files are read on the disk's thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from gan808.errors import ConfigError
from gan808.instrument.events import Notice, ParameterChanged
from gan808.sequencer.clock import STEPS_PER_BAR, STEPS_PER_BEAT

if TYPE_CHECKING:
    from gan808.instrument.calls import Answer, Call, Handler
    from gan808.instrument.context import Context
    from gan808.instrument.scenes import Scenes
    from gan808.sequencer.patterns import Pattern
    from gan808.sequencer.sequencer import Sequencer
    from gan808.sequencer.song import Song, SongPosition
    from gan808.sequencer.sync import Sync

NO_SONG = "off"
BEATS_PER_BAR = STEPS_PER_BAR // STEPS_PER_BEAT


class SongCommands:
    """Plays a song: the next part is set during the last bar of the one before."""

    def __init__(
        self, context: Context, scenes: Scenes, sequencer: Sequencer, sync: Sync
    ) -> None:
        self._context = context
        self._sequencer = sequencer
        self._sync = sync
        self._scenes = scenes
        self._position: SongPosition | None = None
        self._patterns: Mapping[str, Pattern] = {}

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        return {"/seq/song": self._song, "/seq/part": lambda _: self._told()}

    def begin(self, name: str) -> None:
        """The song of the settings, by name or path, before anything plays.

        Raises ConfigError.
        """
        library = self._context.library
        self._begin(*self._read(library.song(name)), wait=True)

    def beat(self, index: int) -> None:
        """A beat is about to be scheduled: at a bar's first the song goes on."""
        position = self._position
        if position is None or index % BEATS_PER_BAR:
            return
        before = position.part
        following = position.begin_bar()
        if position.part != before:
            self._tell()
        if following == len(position.song.part):
            self._end()
        elif following is not None:
            self._set(following)

    def _song(self, call: Call) -> Answer | None:
        if not call.arguments:
            return (self._position.song.name if self._position else NO_SONG,)
        name, library = str(call.arguments[0]), self._context.library
        if name == NO_SONG:
            self._position = None
            self._tell_song()
            return (NO_SONG,)
        self._context.disk.do_for(call, lambda: self._read(library.own_song(name)),
                                  partial(self._was_read, call))
        return None

    def _read(self, song: Song) -> tuple[Song, dict[str, Pattern]]:
        """Read a song and all its patterns, so that a missing one is told now and not when its bar
        comes."""
        context = self._context
        names = {part.pattern for part in song.part if part.pattern}
        scenes = {part.scene for part in song.part if part.scene}
        missing = sorted(scenes - set(context.library.scene_names())) if scenes else []
        if missing:
            raise ConfigError(f"song {song.name}: there is no scene {missing[0]}")
        return song, {name: context.library.pattern(name, context.kit.slots) for name in names}

    def _was_read(self, call: Call, read: tuple[Song, dict[str, Pattern]]) -> None:
        self._begin(*read)
        call.answer((read[0].name,))

    def _begin(
        self, song: Song, patterns: dict[str, Pattern], *, wait: bool = False
    ) -> None:
        from gan808.sequencer.song import SongPosition

        self._position, self._patterns = SongPosition(song), patterns
        self._set(0, wait=wait)
        self._tell_song()

    def _set(self, number: int, *, wait: bool = False) -> None:
        """Have what that part plays begin with the next bar."""
        assert self._position is not None
        part = self._position.song.part[number]
        pattern = self._patterns.get(part.pattern)
        if part.scene:
            self._scenes.play_at_bar(part.scene, pattern, self._failed, wait=wait)
        elif pattern is not None:
            self._sequencer.set_pattern(pattern)
            self._context.emit(ParameterChanged("/seq/pattern", (pattern.name,)))

    def _failed(self, error: Exception) -> None:
        self._context.emit(Notice(f"song: {error}"))

    def _end(self) -> None:
        """The last bar has begun: stop where it ends."""
        self._position = None
        self._sync.stop(self._sequencer.next_frame("bar", self._context.now()))
        self._tell_song()

    def _told(self) -> tuple[int, int]:
        position = self._position
        return (position.part + 1, len(position.song.part)) if position else (0, 0)

    def _tell(self) -> None:
        self._context.emit(ParameterChanged("/seq/part", self._told()))

    def _tell_song(self) -> None:
        name = self._position.song.name if self._position else NO_SONG
        self._context.emit(ParameterChanged("/seq/song", (name,)))
        self._tell()
