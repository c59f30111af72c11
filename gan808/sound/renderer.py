"""Seeds and classes to finished Sounds: generate, invert, trim, level, listen, resample.

Owns the networks of one kit. Lives in the render process; also used offline by `gan808 render` and
by training's evaluation. Not for several threads at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from threadpoolctl import ThreadpoolController

from gan808.errors import ConfigError, RenderError
from gan808.sound import finish
from gan808.sound.class_mix import ClassMix, parse_class, require_classes
from gan808.sound.descriptors import describe
from gan808.sound.kit.kit import Kit, to_rate
from gan808.sound.latent import SEED_END, Point, parts_of
from gan808.sound.network.session import Networks
from gan808.sound.sound import BATCH, Sound, digest
from gan808.sound.spectral.griffin_lim import make_inverter
from gan808.sound.spectral.spectrogram import log_image, normalise, place
from gan808.sound.spectral.splice import splice
from gan808.sound.stereo import joined

FADED = 3e-3  # more than this (-50 dB) at either end of a sound is heard as a click
# So many samples in a row within a millionth of the peak were cut off there: a 20 Hz sine at
# 192 kHz, the roundest top there is, has 4 within it.
FLAT_SAMPLES, FLAT_RATIO = 6, 1.0 - 1e-6


@dataclass(frozen=True, eq=False)
class CriticOpinion:
    """The critic's opinion of n finished sounds. probability: float32 (n, n_classes); realness:
    float32 (n,), the score of the class asked as a quantile of the training sounds' scores."""

    probability: np.ndarray
    realness: np.ndarray


class Renderer:
    """Renders sounds of one kit at one sample rate. Raises KitError when the kit is damaged.

    threads: of the processor, for the networks; 0: all. They change no bit of a sound.
    """

    def __init__(
        self, kit: Kit, sample_rate_hz: int, *, threads: int = 1, griffin_lim_rounds: int = 40
    ) -> None:
        self.kit = kit
        self.sample_rate_hz = sample_rate_hz
        self.networks = Networks(kit, threads)
        self._moments, self._quantiles = kit.statistics()
        self._thread_pools = ThreadpoolController()  # of the libraries loaded by now
        self._invert = make_inverter(kit.geometry, self._moments, rounds=griffin_lim_rounds)

    def render(self, class_names: Sequence[str], seeds: Sequence[int | Point]) -> list[Sound]:
        """One finished Sound for each pair of class, or mix of classes, and seed (0 .. 2**63 - 1),
        or point; in stereo for a point with a width.

        Raises RenderError for a class the kit does not have, a seed out of range or a given latent
        of another size than the kit's.
        """
        if len(class_names) != len(seeds):
            raise RenderError(f"{len(class_names)} classes for {len(seeds)} seeds")
        asked = [seed if isinstance(seed, Point) else _plain(seed) for seed in seeds]
        pairs = list(zip(class_names, asked, strict=True))
        one_by_one = iter(self._render_mono([(n, c) for n, point in pairs for c in point.channels]))
        return [
            joined(next(one_by_one), next(one_by_one), point.trail) if point.width
            else next(one_by_one) for point in asked
        ]

    def _render_mono(self, channels: Sequence[tuple[str, Point]]) -> list[Sound]:
        """Each channel as a sound of its own, BATCH at a time whatever sounds they belong to."""
        mixes = [self.mix(name) for name, _ in channels]
        sounds: list[Sound] = []
        for i in range(0, len(channels), BATCH):
            part, points = mixes[i : i + BATCH], [point for _, point in channels[i : i + BATCH]]
            streams = [stream_of(str(mix), point) for mix, point in zip(part, points, strict=True)]
            raw = self._inverted(self._drawn(part, points), streams)
            sounds += self._finished(raw, part, points)
        return sounds

    def _drawn(self, mixes: Sequence[ClassMix], points: Sequence[Point]) -> np.ndarray:
        """The images of places, each spliced of two where its attack is another's: float32 (n,
        n_bands, columns, 1)."""
        shares = [[mix.shares.get(name, 0.0) for name in self.kit.classes] for mix in mixes]
        told = self.networks.conditions(np.asarray(shares))
        parts = [parts_of(point, self.kit.manifest.network) for point in points]
        images = self.networks.generate(np.stack([attack for attack, _ in parts]), told)
        for i, (attack, rest) in enumerate(parts):
            if rest is not attack:
                other = self.networks.generate(rest[None], told[i : i + 1])[0]
                images[i] = splice(images[i], other, self.kit.geometry)
        return images

    def mix(self, class_name: str) -> ClassMix:
        """The class or mix of that name. Raises RenderError when the kit has not all of it."""
        try:
            return require_classes(class_name, self.kit.classes, self.kit.name)
        except ConfigError as error:
            raise RenderError(str(error)) from error

    def label(self, class_name: str) -> int:
        """The class's number in the networks. Raises RenderError when the kit has no such class."""
        if class_name not in self.kit.classes:
            raise RenderError(
                f"kit {self.kit.name} has no class {class_name!r}; it has "
                f"{', '.join(self.kit.classes)}"
            )
        return self.kit.classes.index(class_name)

    def audio_of(
        self, latents: np.ndarray, labels: np.ndarray, streams: Sequence[int]
    ) -> np.ndarray:
        """Raw audio of latents: float32 (n, latent_size), int32 (n,) and stream_of each to float32
        (n, n_samples) at the geometry's rate, lead silence included."""
        return self._inverted(self.networks.generate(latents, labels), streams)

    def _inverted(self, images: np.ndarray, streams: Sequence[int]) -> np.ndarray:
        with self._one_blas_thread():
            return self._invert(images, streams)

    def audio_from_images(self, images: np.ndarray) -> list[np.ndarray]:
        """Finished sounds of normalised images, training's own for instance: float32 (n, n_bands,
        columns, 1) to n of float32 (m,) at the geometry's rate."""
        with self._one_blas_thread():
            raw = self._invert(images)
        return [finish.finish(row, self.kit.geometry) for row in raw]

    def _finished(
        self, raw: np.ndarray, mixes: Sequence[ClassMix], points: Sequence[Point]
    ) -> list[Sound]:
        rate = self.kit.geometry.sample_rate_hz
        audio = [finish.finish(row, self.kit.geometry) for row in raw]
        heard = self._heard(audio, mixes)  # at the level of the sounds it was trained on
        audio = [self.kit.balanced(one, rate, str(mix))
                 for one, mix in zip(audio, mixes, strict=True)]
        sounds = []
        for i, (mix, point) in enumerate(zip(mixes, points, strict=True)):
            best = int(heard.probability[i].argmax())
            sounds.append(Sound(
                kit=self.kit.name, class_asked=str(mix), seed=point.seed,
                class_heard=self.kit.classes[best],
                confidence=self._confidence(mix, heard.probability[i]),
                realness=float(heard.realness[i]),
                audio=to_rate(audio[i], rate, self.sample_rate_hz),
                sample_rate_hz=self.sample_rate_hz, descriptors=describe(audio[i], rate),
                trail=point.trail,
            ))
        return sounds

    def _confidence(self, mix: ClassMix, probability: np.ndarray) -> float:
        """How sure the critic is of the class that it hears most; of a mix, that it is any of the
        classes in it: what lies between two is meant to be heard as either."""
        if not mix.steps:
            return float(probability.max())
        inside = [self.kit.classes.index(name) for name, share in mix.shares.items() if share]
        return min(1.0, float(probability[inside].sum()))

    def images_of(self, audio: Sequence[np.ndarray]) -> np.ndarray:
        """Normalised images of finished sounds as training saw its recordings (peak 1, onset
        first): float32 (n,) each to float32 (n, n_bands, columns, 1)."""
        geometry = self.kit.geometry
        peaks = [max(float(np.abs(a).max(initial=0.0)), 1e-6) for a in audio]
        placed = [place(a / peak, geometry) for a, peak in zip(audio, peaks, strict=True)]
        with self._one_blas_thread():
            images = normalise(log_image(np.stack(placed), geometry), self._moments)
        return np.asarray(images[..., None], dtype=np.float32)

    def _one_blas_thread(self) -> AbstractContextManager[object]:
        """Have BLAS use one thread. A matrix product that BLAS shares out differs in its last bits
        from one that it does not, and a seed names one sound whatever the number of threads."""
        return self._thread_pools.limit(limits=1, user_api="blas")

    def scores(
        self, audio: Sequence[np.ndarray], labels: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The critic's raw outputs for finished sounds at the geometry's rate: realness of the
        label given, float32 (n,), and class logits, float32 (n, n_classes)."""
        scores, logits = self._opinions(audio)
        return scores[np.arange(len(scores)), np.asarray(labels)], logits

    def _opinions(self, audio: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The same with the realness of every label, float32 (n, n_classes)."""
        realness, logits = [], []
        for i in range(0, len(audio), BATCH):
            scores, heard = self.networks.listen(self.images_of(audio[i : i + BATCH]))
            realness.append(np.broadcast_to(scores, heard.shape))
            logits.append(heard)
        return np.concatenate(realness), np.concatenate(logits)

    def listen(self, audio: Sequence[np.ndarray], labels: Sequence[int]) -> CriticOpinion:
        """What the critic makes of finished sounds at the geometry's rate."""
        return self._heard(audio, [ClassMix(self.kit.classes[label]) for label in labels])

    def _heard(self, audio: Sequence[np.ndarray], mixes: Sequence[ClassMix]) -> CriticOpinion:
        """As listen. A mix is as real as its classes find it, each by its share."""
        scores, logits = self._opinions([np.nan_to_num(a) for a in audio])
        exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
        number = self.kit.classes.index
        realness = [
            sum(share * quantile_of(float(row[number(name)]), self._quantiles[number(name)])
                for name, share in mix.shares.items())
            for row, mix in zip(scores, mixes, strict=True)
        ]
        probability = exponent / exponent.sum(axis=1, keepdims=True)
        return CriticOpinion(probability.astype(np.float32), np.asarray(realness, dtype=np.float32))

    def rejection(self, sound: Sound) -> str | None:
        """Why a sound must not be played: not_finite, silent, clipped, click, unsure (of any
        class) or unreal (the critic's score is below the kit's threshold); None when it may."""
        thresholds = self.kit.manifest.thresholds
        for channel in sound.channels:
            if (fault := audio_fault(channel)) is not None:
                return fault
        if sound.confidence < thresholds.confidence:
            return "unsure"
        least = sum(share * thresholds.realness.get(name, 0.0)
                    for name, share in parse_class(sound.class_asked).shares.items())
        return "unreal" if sound.realness < least else None


def quantile_of(score: float, quantiles: np.ndarray) -> float:
    """Where a score lies among quantiles float32 (n,) that rise, 0..1.

    Below the lowest it falls off exponentially instead of staying at 0, so that of two sounds
    that no training sound is as bad as, the better is still known.
    """
    lowest = 0.5 / len(quantiles)
    if score < quantiles[0]:
        scale = max(float(quantiles[-1] - quantiles[0]) / 4, 1e-6)
        return lowest * float(np.exp((score - quantiles[0]) / scale))
    return float(np.interp(score, quantiles, np.linspace(lowest, 1.0, len(quantiles))))


def audio_fault(audio: np.ndarray) -> str | None:
    """What is wrong with a finished waveform, whatever the critic says; None when nothing is."""
    if not np.isfinite(audio).all():
        return "not_finite"
    peak = np.abs(audio).max(initial=0.0)
    if peak < finish.QUIETEST_PEAK:
        return "silent"
    at_peak = np.abs(audio) >= FLAT_RATIO * peak
    runs = np.convolve(at_peak, np.ones(FLAT_SAMPLES))
    if peak > 0.5 and runs.max() >= FLAT_SAMPLES:
        return "clipped"
    return "click" if max(abs(audio[0]), abs(audio[-1])) > FADED else None


def stream_of(class_name: str, point: Point) -> int:
    """The number of the random stream by which a mono sound's noise fluctuates: from its id without
    the kit's name, so that a kit saved under another name sounds the same."""
    return int(digest(f"{class_name}/{point.seed}{point.trail}"), 16)


def _plain(seed: int) -> Point:
    """The point of a plain seed. Raises RenderError when it is out of range."""
    if not 0 <= seed < SEED_END:
        raise RenderError(f"seed {seed} is not in 0..2^63-1")
    return Point(int(seed))
