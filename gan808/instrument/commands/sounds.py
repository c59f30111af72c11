"""Sounds to look at, to listen to and to bring back: pictures, audio, the last hour. Machine thread
only.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gan808.errors import ConfigError, Gan808Error
from gan808.instrument.events import Event, SoundChanged
from gan808.instrument.parameter import SLOT
from gan808.instrument.pictures import Picture, picture_of
from gan808.sound.class_mix import require_classes
from gan808.sound.latent import Point, parse_id
from gan808.sound.sound import BATCH, Rendered, Sound

if TYPE_CHECKING:
    from gan808.instrument.calls import Answer, Call, Handler
    from gan808.instrument.context import Context

# Sounds are a third of a megabyte at most; pictures two kilobytes.
MOST_SOUNDS, MOST_PICTURES, MOST_PLAYED, MOST_ASKED = 128, 512, 400, 256
HOUR_S = 3600.0
PIECE_BYTES = 32_768


class SoundCommands:
    """Keeps the last sounds that played or were asked for at hand."""

    def __init__(
        self, context: Context, subscribe: Callable[[Callable[[Event], None]], object]
    ) -> None:
        self._context = context
        self._sounds: OrderedDict[str, Sound] = OrderedDict()
        self._pictures: OrderedDict[str, Picture] = OrderedDict()
        # Asked for and not yet begun: the renderer makes BATCH sounds in the time of one.
        self._asked: deque[tuple[Call, str, Point]] = deque()
        self._rendering = False
        self._played: deque[tuple[float, str, str]] = deque(maxlen=MOST_PLAYED)
        subscribe(self._hear)

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        return {
            "/sound/picture": lambda call: self._picture(self._at_hand(str(call.arguments[0]))),
            f"/slot/{SLOT}/picture": lambda call: self._picture(
                self._context.swaps.sound(int(call.arguments[0]))),
            "/sound/audio": self._audio,
            "/sound/render": self._render,
            "/history": self._history,
        }

    def find(self, sound_id: str) -> Sound | None:
        """The sound of that id, if it is at hand: played, asked for or in stock."""
        playing = (slot.sound for slot in self._context.swaps.slots)
        present = next((s for s in playing if s is not None and s.id == sound_id), None)
        return present or self._sounds.get(sound_id) or next(
            (s for s in self._context.pool.sounds() if s.id == sound_id), None)

    def _hear(self, event: Event) -> None:
        if isinstance(event, SoundChanged):
            sound = self._context.swaps.slots[event.slot].sound
            if sound is not None and sound.id == event.id:
                self.keep(sound)
            self._played.append((time.monotonic(), event.id, event.code))

    def keep(self, sound: Sound) -> None:
        """Keep a sound at hand until many others have been kept."""
        self._sounds[sound.id] = sound
        self._sounds.move_to_end(sound.id)
        while len(self._sounds) > MOST_SOUNDS:
            self._sounds.popitem(last=False)

    def _at_hand(self, sound_id: str) -> Sound:
        sound = self.find(sound_id)
        if sound is None:
            raise Gan808Error(f"{sound_id[:80]} is not at hand; /sound/render makes it")
        return sound

    def _picture(self, sound: Sound) -> Answer:
        picture = self._pictures.get(sound.id)
        if picture is None:
            picture = self._pictures[sound.id] = picture_of(sound)
            while len(self._pictures) > MOST_PICTURES:
                self._pictures.popitem(last=False)
        return picture.values

    def _audio(self, call: Call) -> Answer:
        sound, first = self._at_hand(str(call.arguments[0])), int(call.arguments[1])
        channels = len(sound.channels)
        piece = sound.audio[first:first + PIECE_BYTES // (2 * channels)]
        pcm = np.rint(np.clip(piece, -1, 1) * 32767).astype("<i2").tobytes()
        return (sound.id, sound.sample_rate_hz, len(sound.audio), channels, pcm)

    def _render(self, call: Call) -> Answer | None:
        context, sound_id = self._context, str(call.arguments[0])
        if self.find(sound_id) is not None:
            return (sound_id,)
        kit, class_name, place = parse_id(sound_id)
        if kit == context.kit.name:
            require_classes(class_name, context.kit.classes, kit)
        else:
            raise ConfigError(f"{sound_id[:80]} is no sound of kit {context.kit.name}")
        if len(self._asked) >= MOST_ASKED:
            raise Gan808Error(f"{MOST_ASKED} sounds are being made already")
        self._asked.append((call, class_name, place))
        if not self._rendering:
            self._rendering = True
            context.post(self._begin)  # those that come in the same packet go along
        return None

    def _begin(self) -> None:
        """Have the sound that waits longest rendered, with others of its class that wait."""
        self._rendering = bool(self._asked)
        if not self._asked:
            return
        name = self._asked[0][1]
        chosen = [each for each in self._asked if each[1] == name][:BATCH]
        self._asked = deque(each for each in self._asked if each not in chosen)
        context, calls = self._context, [call for call, *_ in chosen]
        context.filler.request_points(
            name, [point for *_, point in chosen], partial(context.post, self._rendered, calls))

    def _rendered(self, calls: list[Call], result: list[Rendered] | Gan808Error) -> None:
        if isinstance(result, Gan808Error):
            for call in calls:
                call.answer(result)
        else:
            for call, rendered in zip(calls, result, strict=True):
                self.keep(rendered.sound)
                call.answer((rendered.sound.id,))
        self._begin()

    def _history(self, _: Call) -> Answer:
        now_s = time.monotonic()
        return tuple(part for at_s, sound_id, code in reversed(self._played)
                     if now_s - at_s < HOUR_S for part in (sound_id, code, int(now_s - at_s)))
