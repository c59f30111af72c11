"""The nearest sound a kit can make to a recording: seeds searched, the best refined by gradient.

Runs where the renderer runs, on one thread. The search compares images, as the critic sees them;
the verdict compares finished sounds.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from gan808.errors import RenderError
from gan808.sound.kit.kit import to_rate
from gan808.sound.latent import Point, given, latent_of
from gan808.sound.network.spec import NetworkSpec
from gan808.sound.recording import mono, onset_first, read_recording
from gan808.sound.renderer import Renderer
from gan808.sound.sound import BATCH, Sound
from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.spectrogram import CLIP_SIGMAS

SHORTEST_S = 0.005  # of a hit: less is a click, and everything is near to it
CANDIDATES = 4 * BATCH  # so many seeds are rendered and compared as finished sounds
ROUNDS = 4  # of refinement; see Matcher._refine
LEARNING_RATE = 0.05  # of Adam, in units of a latent's deviation
# Normal latents were drawn near a sphere; outside this shell the generator was never trained.
SHELL = (0.9, 1.1)
QUIETEST = np.float32(1e-6)  # energy: what is softer is brought to no level

DB_PER_NEPER = 20.0 / np.log(10.0)

Progress = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Match:
    """What was found. nearest: the best plain seed; refined: what the gradient made of the best
    seeds; the distances are from the recording, in dB (`distance_db`)."""

    nearest: Sound
    nearest_db: float
    refined: Sound
    refined_db: float


Search = Generator[float, None, Match]


def read_target(path: Path, geometry: Geometry) -> np.ndarray:
    """A recording as training saw its own: mono float32 (n,) at the geometry's rate, onset first,
    peak 1. Raises RenderError, one line, for a file that has no sound in it."""
    read, rate_hz = read_recording(path)
    audio = onset_first(mono(read), rate_hz, geometry.sample_rate_hz)
    if audio is None:
        raise RenderError(f"{path}: is silent; give a recording of one drum hit")
    if len(audio) < SHORTEST_S * geometry.sample_rate_hz:
        raise RenderError(f"{path}: is over in {len(audio) / geometry.sample_rate_hz:.4f} s; "
                          "give a recording of one drum hit")
    return audio[: geometry.n_samples]


class Matcher:
    """Searches one kit through its renderer."""

    def __init__(self, renderer: Renderer, target: np.ndarray) -> None:
        """target: what read_target gives."""
        self._renderer = renderer
        self._spec = renderer.kit.manifest.network
        moments, _ = renderer.kit.statistics()
        self._mean = moments.mean[:, None, None]
        self._scale = np.float32(CLIP_SIGMAS) * moments.deviation[:, None, None]
        self._floor = np.float32(renderer.kit.geometry.magnitude_floor)
        magnitudes = self._magnitudes(renderer.images_of([target]))
        self._energy = _energy(magnitudes)
        self._target = self._levels(magnitudes)  # (1, bands, frames, 1)

    def match(
        self,
        class_names: Sequence[str],
        *,
        seeds: int,
        steps: int,
        progress: Progress = lambda share: None,
    ) -> Match:
        """Look among that many seeds of each class, then go on from the best for at most so many
        steps. progress is told how much is done, 0..1. Raises RenderError for an unknown class."""
        search = self.search(class_names, seeds=seeds, steps=steps)
        while True:
            try:
                progress(next(search))
            except StopIteration as end:
                progress(1.0)
                return cast(Match, end.value)

    def search(self, class_names: Sequence[str], *, seeds: int, steps: int) -> Search:
        """The same in pieces of a tenth of a second or so: yields how much is done, 0..1."""
        starts = yield from self._search(class_names, seeds)
        sounds: list[Sound] = []
        for at in range(0, len(starts), BATCH):
            part = starts[at : at + BATCH]
            sounds += self._renderer.render([name for name, _ in part], [seed for _, seed in part])
            yield 0.5
        ranked = sorted(((self.distance_db(sound), i) for i, sound in enumerate(sounds)))[:BATCH]
        nearest_db, first = ranked[0]
        refined_db, refined = yield from self._refine([sounds[i] for _, i in ranked], steps)
        return Match(sounds[first], nearest_db, refined, refined_db)

    def distance_db(self, sound: Sound) -> float:
        """How far a finished sound is from the recording: the mean difference of the levels in
        their spectrograms, in dB. Both are brought to the same energy, so loudness does not
        count."""
        return float(DB_PER_NEPER * self._errors(self._images([sound]))[0])

    def _search(
        self, class_names: Sequence[str], seeds: int
    ) -> Generator[float, None, list[tuple[str, int]]]:
        """The CANDIDATES pairs of class and seed whose images are nearest, the best first."""
        jobs = [(name, seed) for name in class_names for seed in range(max(seeds, BATCH))]
        labels = {name: self._renderer.label(name) for name in class_names}
        errors: list[float] = []
        for at in range(0, len(jobs), BATCH):
            part = jobs[at : at + BATCH]
            latents = np.stack([latent_of(Point(seed), self._spec) for _, seed in part])
            images = self._renderer.networks.generate(
                latents, np.asarray([labels[name] for name, _ in part], dtype=np.int32))
            errors += [float(e) for e in self._errors(images)]
            yield 0.5 * len(errors) / len(jobs)
        return [jobs[i] for i in np.argsort(errors, kind="stable")[:CANDIDATES]]

    def _errors(self, images: np.ndarray, offset: np.ndarray | float = 0.0) -> np.ndarray:
        """Mean difference from the target in nepers, float32 (n,), of images (n, bands, frames,
        1) and what is to be added to their levels."""
        levels = self._levels(self._magnitudes(images)) + offset
        return np.abs(levels - self._target).mean(axis=(1, 2, 3))

    def _magnitudes(self, images: np.ndarray) -> np.ndarray:
        log = images * self._scale + self._mean
        return np.maximum(np.exp(log) - self._floor, np.float32(0.0))

    def _levels(self, magnitudes: np.ndarray) -> np.ndarray:
        """Logarithmic, at the target's energy: what the generator draws is louder or softer than
        the sound it becomes, by 10 dB and more."""
        return np.log(self._gain(_energy(magnitudes)) * magnitudes + self._floor)

    def _gain(self, energy: np.ndarray) -> np.ndarray:
        return self._energy / np.maximum(energy, QUIETEST)

    def _refine(
        self, starts: Sequence[Sound], steps: int
    ) -> Generator[float, None, tuple[float, Sound]]:
        """The best finished sound found on the way down from BATCH sounds, with its distance.

        What the generator draws and the spectrogram of the sound it becomes differ, because not
        every image is one of a sound. So the descent goes in rounds: after each the sounds are
        rendered, and the difference found there is taken for that of the next round's images.
        """
        names = [sound.class_asked for sound in starts]
        labels = np.asarray([self._renderer.label(name) for name in names], dtype=np.int32)
        latents = np.stack([latent_of(sound.point, self._spec) for sound in starts])
        best, sounds = [(np.inf, sound) for sound in starts], list(starts)
        for at in range(ROUNDS):
            best = [min(pair, (self.distance_db(sound), sound), key=lambda each: each[0])
                    for pair, sound in zip(best, sounds, strict=True)]
            latents = np.stack([latent_of(sound.point, self._spec) for _, sound in best])
            offset = self._drawn_amiss(latents, labels, [sound for _, sound in best])
            latents = yield from self._descend(at, latents, labels, offset, -(-steps // ROUNDS))
            points = [given(z, sound.seed, self._spec)
                      for z, sound in zip(latents, starts, strict=True)]
            sounds = self._renderer.render(names, points)
        refined = [each for each in [*best, *((self.distance_db(s), s) for s in sounds)]
                   if each[1].trail]
        return min(refined, key=lambda each: each[0])

    def _drawn_amiss(
        self, latents: np.ndarray, labels: np.ndarray, sounds: Sequence[Sound]
    ) -> np.ndarray:
        """What has to be added to the levels of these latents' images so that they are those of the
        finished sounds: float32 (BATCH, bands, frames, 1)."""
        drawn = self._levels(self._magnitudes(self._renderer.networks.generate(latents, labels)))
        return self._levels(self._magnitudes(self._images(sounds))) - drawn

    def _images(self, sounds: Sequence[Sound]) -> np.ndarray:
        rate_hz = self._renderer.kit.geometry.sample_rate_hz
        return self._renderer.images_of(
            [to_rate(sound.audio, sound.sample_rate_hz, rate_hz) for sound in sounds])

    def _descend(
        self, at: int, latents: np.ndarray, labels: np.ndarray, offset: np.ndarray, steps: int
    ) -> Generator[float, None, np.ndarray]:
        """The best latents, by their images and the offset, of so many steps from each in the
        round `at`."""
        descent = _Adam(latents.shape)
        best, lowest = latents, np.full(len(latents), np.inf)
        for step in range(steps):
            yield 0.5 + 0.5 * (at + step / steps) / ROUNDS
            errors, slope = self._slope(latents, labels, offset)
            best = np.where((errors < lowest)[:, None], latents, best)
            lowest = np.minimum(errors, lowest)
            latents = _inside(latents - descent.step(slope), self._spec)
        return best

    def _slope(
        self, latents: np.ndarray, labels: np.ndarray, offset: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Each latent's error, (n,), and which way it rises, (n, latent_size)."""
        networks = self._renderer.networks
        images = networks.generate(latents, labels)
        errors, by_image = self._image_slope(images, offset)
        return errors, networks.latent_slopes(latents, labels, by_image)

    def _image_slope(
        self, images: np.ndarray, offset: np.ndarray | float
    ) -> tuple[np.ndarray, np.ndarray]:
        """What _errors gives for images, and which way each rises with its image."""
        magnitudes = self._magnitudes(images)
        energy = _energy(magnitudes)
        gain = self._gain(energy)
        louder = gain * magnitudes + self._floor
        apart = np.log(louder) + offset - self._target
        by_louder = np.sign(apart) / louder / np.float32(apart[0].size)
        by_gain = (by_louder * magnitudes).sum(axis=(1, 2, 3), keepdims=True)
        # The gain falls as the energy rises, and that rises by magnitude / energy.
        falls = np.where(energy > QUIETEST, gain / np.square(np.maximum(energy, QUIETEST)), 0.0)
        by_magnitude = gain * by_louder - by_gain * falls * magnitudes
        # The derivative of the exponential is the magnitude with its floor; below it nothing moves.
        by_log = np.where(magnitudes > 0.0, by_magnitude * (magnitudes + self._floor), 0.0)
        slope = np.asarray(by_log * self._scale, dtype=np.float32)
        return np.abs(apart).mean(axis=(1, 2, 3)), slope


class _Adam:
    """Kingma and Ba 2015, with their constants."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._mean, self._power = np.zeros(shape), np.zeros(shape)
        self._steps = 0

    def step(self, slope: np.ndarray) -> np.ndarray:
        """How far to go down this slope, an array of its shape."""
        self._steps += 1
        self._mean = 0.9 * self._mean + 0.1 * slope
        self._power = 0.999 * self._power + 0.001 * np.square(slope)
        mean = self._mean / (1.0 - 0.9**self._steps)
        power = self._power / (1.0 - 0.999**self._steps)
        return np.asarray(LEARNING_RATE * mean / (np.sqrt(power) + 1e-8), dtype=np.float32)


def _energy(magnitudes: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(magnitudes).sum(axis=(1, 2, 3), keepdims=True))


def _inside(latents: np.ndarray, spec: NetworkSpec) -> np.ndarray:
    """Latents brought back to where the generator was trained: float32 (n, latent_size)."""
    if spec.latent_distribution == "uniform":
        return np.clip(latents, -1.0, 1.0)
    length = np.sqrt(np.square(latents).sum(axis=1, keepdims=True) / spec.latent_size)
    return np.asarray(latents * np.clip(length, *SHELL) / np.maximum(length, 1e-6), np.float32)
