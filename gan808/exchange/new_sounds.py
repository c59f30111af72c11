"""Sounds that an export needs beside those that are there: rendered in this process, and only such
as the kit's critic lets pass. Offline; main thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from gan808.sound.kit.kit import Kit
from gan808.sound.latent import Point
from gan808.sound.sound import BATCH, Sound

if TYPE_CHECKING:
    from gan808.sound.renderer import Renderer

MOST_TRIED = 16  # for each sound that is wanted
log = logging.getLogger("gan808")


class NewSounds:
    """Renders sounds of one kit; its networks are loaded when the first is asked for."""

    def __init__(self, kit: Kit, sample_rate_hz: int) -> None:
        self._kit = kit
        self._sample_rate_hz = sample_rate_hz
        self._made: Renderer | None = None

    def exactly(self, class_name: str, point: Point) -> Sound:
        """The sound of that place, whatever the critic says. Raises Gan808Error."""
        return self._renderer().render([class_name], [point])[0]

    def accepted(self, class_name: str, points: Iterator[Point], count: int) -> list[Sound]:
        """The first `count` sounds along these points that may be played; fewer where the critic
        rejects nearly all, which is logged. Raises Gan808Error."""
        found: list[Sound] = []
        tried = 0
        while len(found) < count and tried < MOST_TRIED * count:
            batch = list(islice(points, min(count - len(found), BATCH)))
            tried += len(batch)
            sounds = self._renderer().render([class_name] * len(batch), batch)
            found += [s for s in sounds if self._renderer().rejection(s) is None]
        if len(found) < count:
            log.warning("%s: %d of %d sounds pass the kit's critic; so many are exported",
                        class_name, len(found), count)
        return found

    def _renderer(self) -> Renderer:
        from gan808.sound.renderer import Renderer

        if self._made is None:
            self._made = Renderer(self._kit, self._sample_rate_hz)
        return self._made
