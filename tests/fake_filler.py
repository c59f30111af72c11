"""A filler that renders nothing by itself: tests deliver what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gan808.errors import Gan808Error, KitError, RenderError
from gan808.pool.filler import FillerStatus
from gan808.sound.latent import Point
from gan808.sound.sound import Nearest, Rendered, Sound
from tests.fakes import FakePool, fake_sound


class FakeFiller:
    """Answers when told to: `deliver_all`. A class or kit named "broken" gets an error."""

    def __init__(self, pool: FakePool | None = None, rate_hz: int = 48000) -> None:
        self.pending: list[tuple[Callable[[Any], None], Any]] = []
        self.verdicts: list[tuple[str, bool]] = []  # on kits that were ready: adopted or not
        self._pool = pool
        self._rate_hz = rate_hz
        # What the critic has against a sound, None for nothing.
        self.opinion: Callable[[Sound], str | None] = lambda sound: None

    def request(self, class_name: str, seed: int | Point, deliver: Callable[[Any], None]) -> None:
        point = seed if isinstance(seed, Point) else Point(seed)
        self.pending.append((deliver, self._render(class_name, point)))

    def request_points(self, class_name: str, points: Sequence[Point],
                       deliver: Callable[[Any], None]) -> None:
        sounds = [self._render(class_name, point) for point in points]
        errors = [each for each in sounds if isinstance(each, Gan808Error)]
        rendered = [Rendered(s, self.opinion(s)) for s in sounds if isinstance(s, Sound)]
        self.pending.append((deliver, errors[0] if errors else rendered))

    def _render(self, class_name: str, point: Point) -> Sound | Gan808Error:
        if class_name == "broken":
            return KitError("kit fake has no class 'broken'")
        return fake_sound(class_name, point.seed, rate_hz=self._rate_hz, trail=point.trail)

    def search(self, file: Path, class_names: Sequence[str],
               deliver: Callable[[Any], None]) -> None:
        """Seed 17 of the first class named, or of the snare, is the nearest to any recording but
        "broken.wav"."""
        sound = self._render(next(iter(class_names), "snare"), Point(17))
        assert isinstance(sound, Sound)
        broken = file.name == "broken.wav"
        self.pending.append((deliver, RenderError("broken.wav: is silent") if broken
                             else Nearest(sound, 1.5)))

    def status(self) -> FillerStatus:
        return FillerStatus("fake", True, 8, 4, 0, None)

    def load_kit(self, kit: Any, deliver: Callable[[Any], None]) -> None:
        broken = kit.name == "broken"
        self.pending.append((deliver, KitError("kit broken: weights cut short") if broken else kit))

    def deliver_all(self) -> None:
        """Answer everything asked so far, as the filler's thread would."""
        waiting, self.pending = self.pending, []
        for deliver, result in waiting:
            deliver(result)

    def adopt_kit(self, kit: Any) -> None:
        self.verdicts.append((kit.name, True))
        if self._pool is not None:
            self._pool.reset(kit.classes)

    def give_up_kit(self, kit: Any) -> None:
        self.verdicts.append((kit.name, False))
