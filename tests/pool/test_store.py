"""The pool between two runs: what was saved comes back, anything doubtful does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gan808.pool import store
from gan808.sound.kit.kit import load_kit
from tests.pool.sounds import make_sound

SOUNDS = [make_sound(name, seed) for name in ("kick", "tom") for seed in range(10)]


def test_what_was_saved_comes_back_up_to_so_many_a_class(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "pool"
    store.save(path, "mark", SOUNDS)
    back = store.load(path, "mark")
    expected = [sound for sound in SOUNDS if sound.seed < store.PER_CLASS]
    assert [sound.id for sound in back] == [sound.id for sound in expected]
    for ours, theirs in zip(expected, back, strict=True):
        np.testing.assert_array_equal(theirs.audio, ours.audio)
    assert [file.name for file in path.parent.iterdir()] == ["pool"]


@pytest.mark.parametrize("damage", [
    lambda content: content[:-2],
    lambda content: content[:100],
    lambda content: b"",
    lambda content: b"[]\n",
    lambda content: b"\xff\xfe" + content,
    lambda content: content[:-4] + np.float32("nan").tobytes(),
    lambda content: content[:-4] + np.float32(1e30).tobytes(),
    lambda content: content.replace(b'"seed": 3', b'"seed": "3"'),
    lambda content: b"[" * 100_000 + content,
])
def test_damage_is_passed_over(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "pool"
    store.save(path, "mark", SOUNDS)
    path.write_bytes(damage(path.read_bytes()))
    assert store.load(path, "mark") == []


def test_nothing_saved_and_another_mark_give_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    assert store.load(path, "mark") == []
    store.save(path, "mark", SOUNDS)
    assert store.load(path, "another") == []
    assert len(store.load(path, "mark")) == 2 * store.PER_CLASS


def test_a_disk_that_refuses_is_no_failure(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    store.save(blocked / "pool", "mark", SOUNDS)
    assert store.load(blocked / "pool", "mark") == []


def test_the_mark_is_of_all_that_a_sound_depends_on(tiny_kit: Path, tmp_path: Path) -> None:
    retrained = tmp_path / "tiny"
    shutil.copytree(tiny_kit, retrained)
    weights = retrained / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    kit = load_kit(tiny_kit)
    marks = [store.fingerprint(kit, 48000, 32), store.fingerprint(kit, 44100, 32),
             store.fingerprint(kit, 48000, 16), store.fingerprint(load_kit(retrained), 48000, 32)]
    assert len(set(marks)) == 4
    assert store.fingerprint(kit, 48000, 32) == marks[0]
