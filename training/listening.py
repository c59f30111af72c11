"""What the judge is given to hear: renders of a kit, recordings, and recordings through the codec.

Only the few sounds that a report shows are kept as audio; of the others points remain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gan808.sound.renderer import Renderer
from gan808.sound.sound import Sound
from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.griffin_lim import make_inverter
from gan808.sound.spectral.spectrogram import log_image, normalise, place

from .dataset import Dataset, is_variant
from .judge import Judge
from .set_metrics import JudgedSet

FIRST_SEED = 1_000_000  # seeds no factory sound has
AT_ONCE = 48
SHOWN = 4  # sounds of each class that a report shows

Tell = Callable[[float | None, str], None]


def log_images_of(audio: Sequence[np.ndarray], geometry: Geometry) -> np.ndarray:
    """Log images of finished sounds as training saw its recordings (peak 1, onset first): float32
    (m,) each, at the geometry's rate, to float32 (n, n_bands, n_frames)."""
    sounds = [np.nan_to_num(sound) for sound in audio]
    peaks = [max(float(np.abs(sound).max(initial=0.0)), 1e-6) for sound in sounds]
    placed = [place(s / peak, geometry) for s, peak in zip(sounds, peaks, strict=True)]
    return log_image(np.stack(placed), geometry)


@dataclass
class Generated:
    """Renders as heard: all by the class asked, and the accepted by the class they are filed
    under. shown: of each class filed, SHOWN sounds or fewer; reasons: what became of each."""

    everything: JudgedSet
    accepted: JudgedSet
    asked: np.ndarray
    reasons: list[str | None]
    shown: dict[str, list[Sound]] = field(default_factory=dict)

    def rejected(self) -> dict[str, int]:
        """How many for each reason."""
        return dict(sorted(Counter(r for r in self.reasons if r is not None).items()))


class Listener:
    """A judge, a dataset and a kit's renderer, which gives audio at the dataset's rate."""

    def __init__(self, judge: Judge, dataset: Dataset, renderer: Renderer) -> None:
        self.judge, self.dataset, self.renderer = judge, dataset, renderer
        self._moments, _ = renderer.kit.statistics()
        self.variant = np.asarray([is_variant(origin) for origin in dataset.origins])

    def _heard(self, points: np.ndarray, labels: np.ndarray) -> JudgedSet:
        return JudgedSet(points, self.judge.probability(points), labels)

    def chosen(self, held_out: bool, most: int) -> np.ndarray:
        """Indices of up to so many recordings of each class, at random but always the same;
        pitched copies are none. What is held out is the half that chose no checkpoint."""
        random = np.random.default_rng(808)
        side = self.dataset.reported if held_out else ~self.dataset.held_out
        parts = []
        for label in range(len(self.dataset.classes)):
            there = np.flatnonzero((self.dataset.labels == label) & ~self.variant & side)
            parts.append(random.permutation(there)[:most])
        return np.concatenate(parts)

    def recordings(self, indices: np.ndarray) -> JudgedSet:
        """Recordings of the dataset as they are."""
        parts = [self.judge.points(self.dataset.log_images(indices[i : i + AT_ONCE]))
                 for i in range(0, len(indices), AT_ONCE)]
        return self._heard(np.concatenate(parts), self.dataset.labels[indices].astype(int))

    def known(self) -> np.ndarray:
        """Points of every training image, pitched copies too: what a copy would be a copy of."""
        indices = np.flatnonzero(~self.dataset.held_out)
        parts = [self.judge.points(self.dataset.log_images(indices[i : i + AT_ONCE]))
                 for i in range(0, len(indices), AT_ONCE)]
        return np.concatenate(parts)

    def through_codec(self, indices: np.ndarray) -> list[np.ndarray]:
        """Recordings taken through the kit's inversion and finishing, at the dataset's rate.

        Of a kit of another geometry than the dataset's they go through both.
        """
        images = self.dataset.log_images(indices)
        kit = self.renderer.kit
        if kit.geometry == self.dataset.geometry:
            return self.renderer.audio_from_images(normalise(images, self._moments)[..., None])
        from gan808.sound import finish
        from gan808.sound.kit.kit import to_rate

        own, rate_hz = self.dataset.geometry, kit.geometry.sample_rate_hz
        raw = make_inverter(own, self.dataset.moments)(
            normalise(images, self.dataset.moments)[..., None])
        moved = [to_rate(finish.finish(row, own), own.sample_rate_hz, rate_hz) for row in raw]
        back = self.renderer.audio_from_images(self.renderer.images_of(moved))
        return [to_rate(audio, rate_hz, own.sample_rate_hz) for audio in back]

    def codec(self, indices: np.ndarray, tell: Tell) -> JudgedSet:
        """Recordings through the codec as heard."""
        points = []
        for i in range(0, len(indices), AT_ONCE):
            audio = self.through_codec(indices[i : i + AT_ONCE])
            points.append(self.judge.points(log_images_of(audio, self.dataset.geometry)))
            tell(i / len(indices), "recordings through the codec")
        return self._heard(np.concatenate(points), self.dataset.labels[indices].astype(int))

    def renders(self, a_class: int, tell: Tell) -> Generated:
        """So many renders of each class."""
        classes = self.renderer.kit.classes
        asked = np.repeat(np.arange(len(classes)), a_class)
        seeds = np.tile(FIRST_SEED + np.arange(a_class), len(classes))
        points, filed, reasons = [], [], []
        shown: dict[str, list[Sound]] = {name: [] for name in classes}
        for i in range(0, len(asked), AT_ONCE):
            part = slice(i, i + AT_ONCE)
            sounds = self.renderer.render(
                [classes[label] for label in asked[part]], [int(s) for s in seeds[part]])
            points.append(self.judge.points(
                log_images_of([s.audio for s in sounds], self.dataset.geometry)))
            for sound in sounds:
                reasons.append(self.renderer.rejection(sound))
                filed.append(classes.index(sound.class_heard))
                if reasons[-1] is None and len(shown[sound.class_heard]) < SHOWN:
                    shown[sound.class_heard].append(sound)
            tell((i + len(sounds)) / len(asked), "rendering and judging")
        everything = self._heard(np.concatenate(points), asked)
        good = np.asarray([reason is None for reason in reasons])
        kept = everything.of(good)
        accepted = JudgedSet(kept.points, kept.probability, np.asarray(filed)[good])
        return Generated(everything, accepted, asked, reasons, shown)

    def examples(self) -> dict[str, list[np.ndarray]]:
        """Up to SHOWN recordings of each class through the codec, held-out ones where there are
        any: float32 (n,) each, at the dataset's rate."""
        held, trained = self.chosen(True, SHOWN), self.chosen(False, SHOWN)
        shown = {}
        for label, name in enumerate(self.dataset.classes):
            own = held[self.dataset.labels[held] == label]
            indices = own if len(own) else trained[self.dataset.labels[trained] == label]
            shown[name] = self.through_codec(indices)
        return shown
