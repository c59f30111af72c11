"""Everything that can be wrong with a kit: its files, its networks, and the sounds they make.

Loads the renderer. On the caller's thread.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gan808.errors import KitError
from gan808.sound.kit.checks import check_weights
from gan808.sound.kit.kit import WEIGHTS, Kit, load_kit
from gan808.sound.network.session import Networks
from gan808.sound.renderer import Renderer
from gan808.sound.sound import FAULTS, Sound

OTHER_SEED = (1 << 62) - 1  # of no factory sound
# How far images of one sound may lie apart: rendered anew it is 0.00003, with a quarter of the
# rounds of Griffin-Lim 0.03; noise is beyond 0.4.
FACTORY_APART = 0.05


def verify_kit(folder: Path) -> list[str]:
    """Everything wrong with a kit, one line each; empty when it is whole. Builds the
    networks."""
    try:
        kit = load_kit(folder)
    except KitError as error:
        return [str(error)]
    problems = []
    for check in (lambda: check_weights(folder / WEIGHTS), kit.statistics,
                  lambda: kit.factory_sounds(kit.geometry.sample_rate_hz),
                  lambda: Networks(kit)):
        try:
            check()
        except KitError as error:
            problems += [str(error)] if str(error) not in problems else []
    if not problems:
        problems += sound_problems(kit)
    if not kit.manifest.factory:
        problems.append(f"{folder}: no factory sounds, so it is silent until the renderer is up")
    return problems


def sound_problems(kit: Kit) -> list[str]:
    """What is wrong with the sounds that its weights make: of each class its first factory sound,
    rendered anew, and another seed's. Raises KitError."""
    rate = kit.geometry.sample_rate_hz
    renderer = Renderer(kit, rate)
    factory = {sound.class_asked: sound for sound in reversed(kit.factory_sounds(rate))}
    points = [point for name in kit.classes
              for point in (factory[name].point if name in factory else 1, OTHER_SEED)]
    sounds = renderer.render(np.repeat(kit.classes, 2).tolist(), points)
    problems, heard_anew = [], 0
    for first, second in zip(sounds[::2], sounds[1::2], strict=True):
        theirs = factory.get(first.class_asked)
        faults = {renderer.rejection(sound) for sound in (first, second)} & FAULTS
        if faults:
            wrong = f"its sounds are {' and '.join(sorted(map(str, faults)))}"
        elif np.array_equal(first.audio, second.audio):
            wrong = "two seeds give the same sound"
        elif theirs and _apart(theirs, first, renderer) > FACTORY_APART:
            wrong = f"its weights do not make the factory sound {theirs.seed} that came with them"
        else:
            heard_anew += theirs is not None and first.class_heard != theirs.class_heard
            continue
        problems.append(f"{kit.folder}: {first.class_asked}: {wrong}")
    if 2 * heard_anew > len(factory):
        problems.append(f"{kit.folder}: its critic takes {heard_anew} of {len(factory)} factory "
                        "sounds for other classes than when the kit was made")
    return problems


def _apart(there: Sound, here: Sound, renderer: Renderer) -> float:
    """The mean distance between the images of two sounds; nearly 0 where both are of one
    identity."""
    one, other = renderer.images_of([there.channels[0], here.channels[0]])
    return float(np.abs(one - other).mean())
