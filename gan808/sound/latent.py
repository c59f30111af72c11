"""Points of latent space by name: a seed, and the steps taken from it.

    17                    the latent of seed 17
    17~99@0.25            a quarter of the way from there to seed 99
    17+3@0.2              neighbour number 3 of seed 17, at radius 0.2
    17=AB3f...            a latent given number by number; 17 says where its search began
    17+t99                the attack of seed 17, the rest of seed 99 (spectral/splice.py)
    17+a99                the other way about: the attack of seed 99, the rest of seed 17
    17+w@0.3              stereo: seed 17 on the left, on the right a point at radius 0.3 from it

Steps follow each other: `17+3@0.2~99@0.5` lies half way between that neighbour and seed 99. Those
after `+t` or `+a` go from both places, the attack's and that of the rest. A width comes last. The
name alone gives the latents, on any machine, for ever. Pure functions and values; any thread.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gan808.errors import ConfigError, RenderError
from gan808.sound.network.spec import NetworkSpec, latent_from_seed

SEED_END = 1 << 63
MOST_STEPS = 32
# Amounts and radii are kept to this many decimals: what OSC's 32-bit floats bring is rounded, so
# that 0.3 is 0.3 in a name. A ten-thousandth of the way is far below what can be heard.
DECIMALS = 4
# A given latent is kept in bytes: steps of 1/32 deviate from it by 0.009 on average, as little as
# a neighbour at radius 0.006.
NORMAL_SCALE, UNIFORM_SCALE = 32.0, 127.0
# Neighbour 5 must not lie towards seed 5, so their numbers are drawn from streams of their own.
_NEIGHBOUR_STREAM = 808
_WIDTH_STREAM = 1616

_NUMBER = r"[0-9]{1,19}"
_SHARE = r"[01](?:\.[0-9]{1,4})?"
_STEP = re.compile(rf"~({_NUMBER})@({_SHARE})|\+({_NUMBER})@({_SHARE})|=([A-Za-z0-9_-]{{2,5462}})"
                   rf"|\+([ta])({_NUMBER})")
_POINT = re.compile(rf"({_NUMBER})((?:{_STEP.pattern})*)(?:\+w@({_SHARE}))?")
MEANT = ("SEED, SEED~SEED@AMOUNT, SEED+NUMBER@RADIUS, SEED+tSEED, SEED+aSEED or SEED+w@WIDTH with "
         "amounts, radii and widths of 0 to 1")


@dataclass(frozen=True, slots=True)
class Towards:
    """So much (0..1) of the way to the latent of another seed."""

    seed: int
    amount: float

    def __str__(self) -> str:
        return f"~{self.seed}@{share_text(self.amount)}"


@dataclass(frozen=True, slots=True)
class Near:
    """A neighbour: radius 0 is the point itself, 1 is as far away as another seed."""

    number: int
    radius: float

    def __str__(self) -> str:
        return f"+{self.number}@{share_text(self.radius)}"


@dataclass(frozen=True, slots=True)
class Given:
    """A latent number by number, each a byte (two's complement); see `given`."""

    codes: bytes

    def __str__(self) -> str:
        return "=" + base64.urlsafe_b64encode(self.codes).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class OtherPart:
    """Another seed's tail ("t"), all that comes after the attack, or its attack ("a")."""

    which: Literal["t", "a"]
    seed: int

    def __str__(self) -> str:
        return f"+{self.which}{self.seed}"


@dataclass(frozen=True, slots=True)
class Aside:
    """The right channel of a stereo sound: at this radius from the left one, in a direction that
    is the seed's own. In the name of a sound it is the point's width; this one's is for messages,
    and names no sound."""

    seed: int
    radius: float

    def __str__(self) -> str:
        return f"+right@{share_text(self.radius)}"


Step = Towards | Near | Given | OtherPart | Aside


@dataclass(frozen=True, slots=True)
class Point:
    """A place in latent space: str() is its name, parse_point reads one.

    width (0..1): how far from it the right channel's place is; 0 is mono.

    Raises ConfigError for numbers out of range and for more than MOST_STEPS steps.
    """

    seed: int
    steps: tuple[Step, ...] = ()
    width: float = 0.0

    def __post_init__(self) -> None:
        if sum(not isinstance(step, Aside) for step in self.steps) > MOST_STEPS:
            raise ConfigError(f"{MOST_STEPS} steps from its seed are the most; go on from another "
                              "sound")
        for number in (self.seed, *(_number_of(step) for step in self.steps)):
            if not 0 <= number < SEED_END:
                raise ConfigError(f"seed {number} is not in 0..2^63-1")

    def __str__(self) -> str:
        return f"{self.seed}{self.trail}"

    @property
    def trail(self) -> str:
        """The steps and the width as text; empty for a plain seed."""
        wide = f"+w@{share_text(self.width)}" if self.width else ""
        return "".join(str(step) for step in self.steps) + wide

    @property
    def channels(self) -> tuple[Point, ...]:
        """The places the channels are rendered from: itself, or left and right."""
        left = Point(self.seed, self.steps)
        if not self.width:
            return (left,)
        return left, Point(self.seed, (*self.steps, Aside(self.seed, self.width)))

    def widened(self, width: float) -> Point:
        """The same place at another width, 0..1."""
        return Point(self.seed, self.steps, checked_share("width", width))

    def towards(self, seed: int, amount: float) -> Point:
        """So much (0..1) of the way to another seed: at 0 this point, at 1 that seed.

        A point that is on its way to that seed already moves along the same way, so that a knob
        can be turned to and fro.
        """
        share = checked_share("amount", amount)
        last = self.steps[-1] if self.steps else None
        here = self
        if isinstance(last, Towards) and last.seed == seed:
            here = Point(self.seed, self.steps[:-1], self.width)
        if share == 0.0:
            return here
        if share == 1.0:
            return Point(seed, width=self.width)
        return Point(here.seed, (*here.steps, Towards(seed, share)), self.width)

    def with_part(self, which: Literal["t", "a"], seed: int) -> Point:
        """This point with the tail or the attack of another seed, in place of the last so taken."""
        part, last = OtherPart(which, seed), self.steps[-1] if self.steps else None
        again = isinstance(last, OtherPart) and last.which == which
        return Point(self.seed, (*(self.steps[:-1] if again else self.steps), part), self.width)

    def near(self, number: int, radius: float) -> Point:
        """Neighbour `number` at a radius of 0..1: at 0 this point."""
        share = checked_share("radius", radius)
        if share == 0.0:
            return self
        return Point(self.seed, (*self.steps, Near(number, share)), self.width)


def parse_point(name: str) -> Point:
    """The point of that name. Raises ConfigError, one line, saying what is accepted."""
    found = _POINT.fullmatch(name)
    if found is None:
        raise ConfigError(f"{name[:80]!r} names no sound; accepted: {MEANT}")
    steps = tuple(_step(step) for step in _STEP.finditer(found[2]))
    return Point(int(found[1]), steps, checked_share("width", float(found[found.re.groups] or 0.0)))


def parse_id(text: str) -> tuple[str, str, Point]:
    """Kit, class and point of a Sound's id. Raises ConfigError, one line."""
    parts = text.split("/")
    if len(parts) != 3 or not all(parts):
        raise ConfigError(f"{text[:80]!r} is no id of a sound; an id is KIT/CLASS/SEED, such as "
                          "gan808/kick/17 or gan808/kick/17+3@0.2")
    return parts[0], parts[1], parse_point(parts[2])


def given(latent: np.ndarray, seed: int, spec: NetworkSpec) -> Point:
    """The point nearest to a latent, float32 (latent_size,), that a name can say.

    seed: where the search for it began; it says nothing about the latent.
    """
    codes = np.clip(np.rint(latent * _scale(spec)), -127, 127).astype(np.int8)
    return Point(seed, (Given(codes.tobytes()),))


def latent_of(point: Point, spec: NetworkSpec) -> np.ndarray:
    """The latent a point names, of its left channel and of its attack: float32, shape
    (latent_size,). A plain seed's is latent_from_seed's, bit for bit. Raises RenderError for a
    given latent of another size."""
    return parts_of(point, spec)[0]


def parts_of(point: Point, spec: NetworkSpec) -> tuple[np.ndarray, np.ndarray]:
    """The latents of a point's attack and of the rest, as latent_of: the same array twice where
    they are one."""
    attack = rest = latent_from_seed(point.seed, spec)
    for step in point.steps:
        if isinstance(step, OtherPart):
            other = latent_from_seed(step.seed, spec)
            attack, rest = (attack, other) if step.which == "t" else (other, rest)
        elif attack is rest:
            attack = rest = _moved(attack, step, spec)
        else:
            attack, rest = _moved(attack, step, spec), _moved(rest, step, spec)
    return attack, rest


def _moved(
    latent: np.ndarray, step: Towards | Near | Given | Aside, spec: NetworkSpec
) -> np.ndarray:
    if isinstance(step, Towards):
        return between(latent, latent_from_seed(step.seed, spec), step.amount, spec)
    if isinstance(step, Near):
        return _beside(latent, step.radius, [_NEIGHBOUR_STREAM, step.number], spec)
    if isinstance(step, Aside):
        return _beside(latent, step.radius, [_WIDTH_STREAM, step.seed], spec)
    return _decoded(step, spec)


def between(start: np.ndarray, end: np.ndarray, amount: float, spec: NetworkSpec) -> np.ndarray:
    """The latent that lies `amount` (0..1) of the way: float32 (n,) twice to float32 (n,).

    Normal latents lie near a sphere and are joined along it (White 2016, arXiv:1609.04468), angle
    and length changing evenly: the straight way would pass through its inside, where the
    generator was never trained. Uniform ones fill a cube and are joined by a straight line.
    """
    a, b = start.astype(np.float64), end.astype(np.float64)
    if spec.latent_distribution == "normal":
        length_a, length_b = math.sqrt((a * a).sum()), math.sqrt((b * b).sum())
        cosine = float((a * b).sum()) / max(length_a * length_b, 1e-12)
        angle = math.acos(max(-1.0, min(1.0, cosine)))
        if math.sin(angle) > 1e-6:
            length = ((1.0 - amount) * length_a + amount * length_b) / math.sin(angle)
            part_a = math.sin((1.0 - amount) * angle) / length_a
            part_b = math.sin(amount * angle) / length_b
            return np.asarray(length * (part_a * a + part_b * b), dtype=np.float32)
    return np.asarray((1.0 - amount) * a + amount * b, dtype=np.float32)


def _beside(
    latent: np.ndarray, radius: float, stream: list[int], spec: NetworkSpec
) -> np.ndarray:
    """Another latent at that radius, in the direction that the stream of random numbers gives.

    Normal: turned on its sphere by radius times a right angle, which is how far apart two seeds
    are. Uniform: moved by up to radius a coordinate, clipped to the cube."""
    random = np.random.Generator(np.random.PCG64(stream))
    here = latent.astype(np.float64)
    if spec.latent_distribution == "uniform":
        moved = here + radius * random.uniform(-1.0, 1.0, spec.latent_size)
        return np.asarray(np.clip(moved, -1.0, 1.0), dtype=np.float32)
    aside = random.standard_normal(spec.latent_size)
    power = float((here * here).sum())
    aside -= here * ((here * aside).sum() / max(power, 1e-12))
    length = math.sqrt(float((aside * aside).sum()))
    if length < 1e-6:  # a latent of one number has nothing beside it
        return latent
    angle = radius * math.pi / 2
    turned = math.cos(angle) * here + math.sin(angle) * aside * (math.sqrt(power) / length)
    return np.asarray(turned, dtype=np.float32)


def _decoded(step: Given, spec: NetworkSpec) -> np.ndarray:
    codes = np.frombuffer(step.codes, dtype=np.int8)
    if len(codes) != spec.latent_size:
        raise RenderError(f"a latent of {len(codes)} numbers; this kit's have {spec.latent_size}")
    return np.asarray(codes.astype(np.float32) / _scale(spec), dtype=np.float32)


def _scale(spec: NetworkSpec) -> float:
    return NORMAL_SCALE if spec.latent_distribution == "normal" else UNIFORM_SCALE


def _number_of(step: Step) -> int:
    if isinstance(step, Given):
        return 0
    return step.number if isinstance(step, Near) else step.seed


def _step(found: re.Match[str]) -> Step:
    seed, amount, number, radius, codes, which, other = found.groups()
    if seed is not None:
        return Towards(int(seed), checked_share("amount", float(amount)))
    if number is not None:
        return Near(int(number), checked_share("radius", float(radius)))
    if which is not None:
        return OtherPart("t" if which == "t" else "a", int(other))
    try:
        return Given(base64.urlsafe_b64decode(codes + "=" * (-len(codes) % 4)))
    except binascii.Error as error:
        raise ConfigError("a latent after = is cut short; copy the whole name") from error


def checked_share(what: str, value: float) -> float:
    if not -1e-6 <= value <= 1.0 + 1e-6:
        raise ConfigError(f"{what} {value:.6g}: must be a number from 0 to 1")
    return min(1.0, max(0.0, round(float(value), DECIMALS)))


def share_text(share: float) -> str:
    return f"{share:.{DECIMALS}f}".rstrip("0").rstrip(".")
