"""Factory sounds kept at the output's rate: the same sounds, and decoded again when they change."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from gan808 import paths
from gan808.errors import KitError
from gan808.pool.factory import factory_sounds
from gan808.sound.kit.kit import FACTORY, Kit, load_kit
from gan808.sound.sound import Sound

RATE_HZ = 48_000


@pytest.fixture
def kit(tiny_kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """A kit of one's own, and a cache of one's own."""
    monkeypatch.setattr(paths, "pool_folder", lambda name: tmp_path / "cache" / name)
    shutil.copytree(tiny_kit, tmp_path / "tiny")
    return load_kit(tmp_path / "tiny")


def plain(sound: Sound) -> dict[str, object]:
    """A sound as values that compare."""
    values = {field.name: getattr(sound, field.name) for field in dataclasses.fields(sound)}
    return {**values, "audio": sound.audio.tobytes()}


def test_kept_sounds_are_those_that_were_decoded_in_the_same_order(kit: Kit) -> None:
    first = factory_sounds(kit, RATE_HZ)
    assert first.decoded
    first.keep()
    again = factory_sounds(kit, RATE_HZ)
    assert not again.decoded
    assert again.sounds[0].audio.dtype == np.float32
    assert [plain(each) for each in again.sounds] == [plain(each) for each in first.sounds]
    assert [plain(each) for each in first.sounds] == [
        plain(each) for each in kit.factory_sounds(RATE_HZ)]


def test_another_rate_or_a_changed_file_is_decoded_again(kit: Kit) -> None:
    factory_sounds(kit, RATE_HZ).keep()
    assert factory_sounds(kit, 44_100).decoded
    changed = kit.folder / FACTORY / kit.manifest.factory[0].file
    os.utime(changed, ns=(1, 1))
    assert factory_sounds(kit, RATE_HZ).decoded


def test_a_damaged_cache_is_passed_over(kit: Kit) -> None:
    first = factory_sounds(kit, RATE_HZ)
    first.keep()
    first.path.write_bytes(first.path.read_bytes()[:-5])
    again = factory_sounds(kit, RATE_HZ)
    assert again.decoded
    assert len(again.sounds) == len(first.sounds)


def test_a_missing_sound_is_an_error_that_names_it_whatever_is_kept(kit: Kit) -> None:
    factory_sounds(kit, RATE_HZ).keep()
    missing = kit.manifest.factory[0].file
    (kit.folder / FACTORY / missing).unlink()
    with pytest.raises(KitError, match=missing):
        factory_sounds(kit, RATE_HZ)
