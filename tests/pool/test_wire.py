"""Sounds as bytes: nothing is lost, and damage is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan808.errors import RenderError
from gan808.pool import wire
from gan808.sound.sound import Sound
from tests.pool.sounds import make_sound


def fields(sound: Sound) -> dict[str, object]:
    return {
        name: getattr(sound, name) for name in Sound.__dataclass_fields__ if name != "audio"
    }


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 500)), max_size=5))
def test_what_goes_in_comes_out(identities: list[tuple[int, int]]) -> None:
    sounds = [make_sound("tom", seed, n_frames=n, trail=f"+{n}@0.2" + "+w@0.3" * (n % 2))
              for seed, n in identities]
    headers, audio = wire.pack(sounds)
    back = wire.unpack(json.loads(json.dumps(headers)), audio)
    assert [fields(sound) for sound in back] == [fields(sound) for sound in sounds]
    for ours, theirs in zip(sounds, back, strict=True):
        assert theirs.audio.dtype == np.float32
        np.testing.assert_array_equal(theirs.audio, ours.audio)


@pytest.mark.parametrize(
    "damage",
    [
        lambda headers, audio: (headers, audio[:-4]),
        lambda headers, audio: (headers, audio[:-1]),
        lambda headers, audio: (headers, audio + b"\0\0\0\0"),
        lambda headers, audio: ([headers[0] | {"frames": -1}], audio),
        lambda headers, audio: ([headers[0] | {"frames": 10**9}], audio),
        lambda headers, audio: ([headers[0] | {"channels": 3}], audio),
        lambda headers, audio: ([headers[0] | {"channels": 2}], audio),
        lambda headers, audio: ([headers[0] | {"surprise": 1}], audio),
        lambda headers, audio: ([{"frames": 64}], audio),
        lambda headers, audio: ([headers[0] | {"descriptors": None}], audio),
    ],
)
def test_damage_is_refused(damage) -> None:  # type: ignore[no-untyped-def]
    headers, audio = damage(*wire.pack([make_sound()]))
    with pytest.raises(RenderError, match="damaged"):
        wire.unpack(headers, audio)
