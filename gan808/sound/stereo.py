"""Two sounds as the channels of one: what a width makes of a place in latent space.

NumPy and SciPy; pure functions of their arguments, any thread.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gan808.sound.finish import loudest_rms
from gan808.sound.loudness import balance_gain, momentary_lkfs
from gan808.sound.sound import Sound


def joined(left: Sound, right: Sound, trail: str) -> Sound:
    """One stereo sound of two finished mono ones, its way from the seed called `trail`.

    Both begin with their onsets, so they start together; the louder one is brought down to the
    other's loudness, so that the sound stands in the middle; the shorter one ends in silence. Both
    together are as loud as the left alone was.
    What the critic is less sure of counts: the lower realness, and the lower confidence in the
    class heard on the left, which on the right is at most what another class has left over.
    """
    sure = right.confidence if right.class_heard == left.class_heard else 1.0 - right.confidence
    audio = np.zeros((max(len(left.audio), len(right.audio)), 2), np.float32)
    rms = [loudest_rms(side.audio, side.sample_rate_hz) for side in (left, right)]
    for channel, side in enumerate((left, right)):
        gain = min(rms) / rms[channel] if 0.0 < min(rms) < rms[channel] else 1.0
        audio[: len(side.audio), channel] = np.float32(gain) * side.audio
    wanted = momentary_lkfs(left.audio, left.sample_rate_hz)
    audio *= np.float32(balance_gain(audio, left.sample_rate_hz, wanted))
    return replace(
        left, audio=audio, trail=trail, confidence=min(left.confidence, sure),
        realness=min(left.realness, right.realness),
    )
