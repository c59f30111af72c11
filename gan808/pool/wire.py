"""Sounds as JSON and raw float32, as they come from the render process and lie in the cache.

Stereo is interleaved. No pickle: reading either runs no code. Pure functions; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple
from typing import Any

import numpy as np

from gan808.errors import RenderError
from gan808.sound.sound import Descriptors, Sound, parse_file_id

MAX_SOUND_FRAMES = 10 * 192_000  # ten seconds at the highest rate: more is a damaged header
RATES_HZ = range(4000, 384_001)
_LITTLE_ENDIAN_FLOAT = np.dtype("<f4")


def pack(sounds: Sequence[Sound]) -> tuple[list[dict[str, Any]], bytes]:
    """Everything but the audio as JSON-ready dicts, and the audio end to end as bytes."""
    headers = []
    for sound in sounds:
        header = {
            name: getattr(sound, name)
            for name in Sound.__dataclass_fields__
            if name not in ("audio", "descriptors")
        }
        headers.append(
            header | {"descriptors": asdict(sound.descriptors), "frames": len(sound.audio),
                      "channels": len(sound.channels)}
        )
    audio = b"".join(sound.audio.astype(_LITTLE_ENDIAN_FLOAT).tobytes() for sound in sounds)
    return headers, audio


def unpack(headers: Sequence[dict[str, Any]], audio: bytes | memoryview) -> list[Sound]:
    """The inverse of pack. Raises RenderError when the header and the audio do not agree."""
    sounds, at = [], 0
    try:
        samples = np.frombuffer(audio, dtype=_LITTLE_ENDIAN_FLOAT)
        for packed in headers:
            header = dict(packed)
            n_frames, n_channels = header.pop("frames"), header.pop("channels")
            n_samples = n_frames * n_channels
            if not (0 <= n_frames <= MAX_SOUND_FRAMES and n_channels in (1, 2)
                    and n_samples <= len(samples) - at):
                raise ValueError(f"{n_frames} frames of {n_channels} channels announced, "
                                 f"{len(samples) - at} samples left")
            header["descriptors"] = Descriptors(**header["descriptors"])
            own = samples[at : at + n_samples].astype(np.float32)
            if n_channels > 1:
                own = own.reshape(n_frames, n_channels)
            sounds.append(Sound(audio=own, **header))
            at += n_samples
        if at != len(samples):
            raise ValueError(f"{len(samples) - at} samples too many")
    except (KeyError, TypeError, ValueError) as error:
        raise RenderError(f"sounds arrived damaged: {error}") from error
    return sounds


def checked(sound: Sound) -> Sound:
    """The sound, if its parts are what they should be. Raises Gan808Error."""
    names = (sound.kit, sound.class_asked, sound.class_heard, sound.trail, sound.file)
    numbers = (sound.confidence, sound.realness, *astuple(sound.descriptors))
    good = (
        all(isinstance(name, str) for name in names)
        and all(isinstance(number, int | float) for number in numbers)
        and isinstance(sound.seed, int) and sound.seed >= 0
        and sound.main_class  # which refuses what is no class
        and sound.sample_rate_hz in RATES_HZ
        # A trail that leads nowhere has no width.
        and (parse_file_id(sound.id) is not None if sound.file
             else 0.0 <= sound.point.width <= 1.0)
        and sound.audio.size > 0
        and np.abs(sound.audio).max() <= 1.0  # NaN is not
    )
    if not good:
        raise RenderError("a sound is damaged")
    return sound
