"""A rendered drum sound with its identity. Immutable, so it is passed freely between threads."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import numpy as np

from gan808.errors import ConfigError
from gan808.sound.class_mix import parse_class
from gan808.sound.latent import Point, parse_point

# In place of a seed in the id of a sound that a file of the user's holds: what no class or seed is.
FILE = "file:"
_FILE_ID = re.compile(rf"([^/]+)/([^/]+)/{FILE}([^/]+)@([0-9a-f]{{12}})")
# The renderer's generation: raised when the same kit and seed give another waveform than before.
# Kits, recordings and states say which one their sounds are from; what does not say so is from 1.
RENDER = 3
LONGEST_STEM = 120  # a file name may have 255 bytes; the folder and the suffix need some


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What a player can ask a sound to be more or less of.

    length_s: seconds until the sound has fallen 40 dB below its loudest moment.
    brightness_hz: spectral centroid, weighted by energy.
    pitch_hz: frequency of the strongest low resonance.
    loudness_db: RMS of the loudest 50 ms, dB re full scale.
    """

    length_s: float
    brightness_hz: float
    pitch_hz: float
    loudness_db: float


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One finished sound. `kit / class asked / seed` names it for ever, the class maybe a mix of
    several (class_mix.py); trail is what was done to
    the seed's latent and how wide it is (latent.py), empty for a plain seed in mono.

    class_heard and confidence (0..1) are the critic's opinion of the finished audio;
    realness (0..1) is the critic's score as a quantile of the training set's scores. Of a stereo
    sound they hold for both channels, the descriptors for the left one.
    audio is float32, shape (n_frames,), or (n_frames, 2) in stereo, peak at most 1, at
    sample_rate_hz.

    file: NAME@DIGEST of the user's own file that it was read from, "" for a sound of the kit's
    networks. The kit and class of such a one are those it is as loud as; nobody has judged it.
    """

    kit: str
    class_asked: str
    seed: int
    class_heard: str
    confidence: float
    realness: float
    audio: np.ndarray
    sample_rate_hz: int
    descriptors: Descriptors
    trail: str = ""
    file: str = ""

    @property
    def id(self) -> str:
        """The name that recalls this sound: kit/class/seed, and how to go on from the seed; or
        kit/class/file:NAME@DIGEST."""
        if self.file:
            return f"{self.kit}/{self.class_asked}/{FILE}{self.file}"
        return f"{self.kit}/{self.class_asked}/{self.seed}{self.trail}"

    @property
    def main_class(self) -> str:
        """The class asked for; of a mix the one it began with."""
        return parse_class(self.class_asked).first

    @property
    def point(self) -> Point:
        """Where in latent space it comes from. Raises ConfigError for a file's sound."""
        if self.file:
            raise ConfigError(f"{self.file.rpartition('@')[0]} is a file, not a sound of a kit; "
                              "/slot/SLOT/match finds the nearest that the kit has")
        return parse_point(f"{self.seed}{self.trail}")

    @property
    def width(self) -> float:
        """How far apart left and right are, 0..1; 0 is mono."""
        return self.point.width if self.audio.ndim == 2 and not self.file else 0.0

    @property
    def channels(self) -> tuple[np.ndarray, ...]:
        """The audio of each channel, (n_frames,): one, or left and right."""
        return (self.audio,) if self.audio.ndim == 1 else (self.audio[:, 0], self.audio[:, 1])

    def file_stem(self, joint: str = "-") -> str:
        """The id as a file name, without suffix; a digest stands for what is too long for one, and
        for a given latent, whose capitals some file systems do not tell from small letters."""
        if self.file:
            name, _, held = self.file.rpartition("@")
            plain = re.sub(r"[^\w-]+", "_", name.rpartition(".")[0] or name)[:LONGEST_STEM // 4]
            return joint.join((self.kit, self.class_asked, plain, held))
        plain = joint.join((self.kit, self.class_asked, str(self.seed)))
        if len(plain + self.trail) <= LONGEST_STEM and "=" not in self.trail:
            return plain + self.trail
        return f"{plain}{joint}{digest(self.trail)}"


@dataclass(frozen=True, slots=True)
class FileId:
    """The id of a file's sound, in its parts. digest: of what it held when it was read."""

    kit: str
    class_name: str
    name: str
    digest: str


def parse_file_id(text: str) -> FileId | None:
    """The parts of a file's id; None for any other text."""
    found = _FILE_ID.fullmatch(text)
    return None if found is None else FileId(*found.groups())


# Sounds made, or searched, in one go: each by itself, this bounds the memory.
BATCH = 8
# What makes a waveform unplayable, whatever the critic says; see renderer.audio_fault.
FAULTS = frozenset({"not_finite", "silent", "clipped", "click"})


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A finished sound, and why it must not be filed (None when it may)."""

    sound: Sound
    rejection: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The sound of a kit that was found to a recording, and how far from it, in dB (match.py)."""

    sound: Sound
    distance_db: float


def digest(text: str) -> str:
    """Twelve hexadecimal digits that stand for a text, the same on every run."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
