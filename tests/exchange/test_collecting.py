"""What is exported: what the critic rejects is left out, favourites come back as they were kept."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gan808 import paths
from gan808.app.offline.export import collect
from gan808.errors import ConfigError
from gan808.exchange.collecting import Amounts, Form, exported_kit, exported_sounds
from gan808.exchange.exported_kit import ExportedKit
from gan808.exchange.new_sounds import NewSounds
from gan808.instrument.state import KeptSlot, State
from gan808.sound.kit.kit import Kit, load_kit
from gan808.sound.latent import Point
from gan808.sound.renderer import Renderer
from gan808.storage.favourites import read_favourites
from gan808.storage.library import Library
from tests.tiny_kit import GEOMETRY, write_tiny_kit

RATE_HZ = GEOMETRY.sample_rate_hz


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return load_kit(write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny"))


def demanding(kit: Kit, confidence: float, n_slots: int = 1) -> Kit:
    thresholds = kit.manifest.thresholds.model_copy(update={"confidence": confidence})
    first = kit.manifest.slots[:n_slots]
    return replace(kit, manifest=kit.manifest.model_copy(
        update={"thresholds": thresholds, "slots": first}))


def test_what_the_critic_rejects_is_not_exported_and_the_next_takes_its_place(kit: Kit) -> None:
    seeds = [Point(seed) for seed in range(1, 13)]
    sure = [s.confidence for s in Renderer(kit, RATE_HZ).render(["kick"] * 12, seeds)]
    picky = demanding(kit, float(np.median(sure)))
    passing = [seed for seed, each in enumerate(sure, 1) if each >= np.median(sure)]
    there = {s.seed for s in kit.factory_sounds(RATE_HZ) if s.class_asked == "kick"}
    wanted = [seed for seed in passing if seed not in there]
    exported = exported_kit("x", picky, None, Form(RATE_HZ), Amounts(len(there) + len(wanted)),
                            NewSounds(picky, RATE_HZ))
    assert sorted(s.seed for s in exported.slots[0].sounds) == sorted([*there, *wanted])


def test_a_critic_that_rejects_all_ends_the_search_and_is_told(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    strict = demanding(kit, 1.0)
    with caplog.at_level(logging.WARNING):
        found = NewSounds(strict, RATE_HZ).accepted("kick", map(Point, count(1)), 1)
    assert found == []
    assert caplog.messages == ["kick: 0 of 1 sounds pass the kit's critic; so many are exported"]


def test_favourites_come_back_as_they_were_kept(kit: Kit, tmp_path: Path) -> None:
    library = Library((), (), tmp_path / "kept", tmp_path / "exports")
    kept = [s for s in kit.factory_sounds(RATE_HZ) if s.class_asked in ("kick", "open_hat", "tom")]
    wide = replace(kept[0], audio=np.stack([kept[0].audio, kept[1].audio], axis=1), trail="+w@0.5")
    mixed = replace(kept[0], class_asked="kick+tom@0.3", trail="+t9")
    file = replace(kept[0], file="mine (1).wav@0123456789ab", seed=0)
    kept += [wide, mixed, file]
    for sound in kept:
        library.keep(sound)
    soundfile.write(tmp_path / "kept/mine.flac", np.zeros(100), RATE_HZ)
    (tmp_path / "kept/broken.flac").write_bytes(b"fLaC")
    back = {sound.id: sound for sound in read_favourites(tmp_path / "kept", RATE_HZ)}
    assert set(back) == {sound.id for sound in kept}
    for sound in kept:
        np.testing.assert_allclose(back[sound.id].audio, sound.audio, atol=2 ** -23)
        assert back[sound.id].class_heard == sound.class_heard
    exported = exported_sounds("favourites", list(back.values()), Form(RATE_HZ))
    assert {slot.code: slot.note for slot in exported.slots} == {
        "BD": 36, "LT": 43, "MT": 47, "HT": 50, "OH": 46}
    assert {s.id for slot in exported.slots for s in slot.sounds} == set(back)


def test_a_sound_of_the_users_own_is_exported_and_has_no_neighbours(kit: Kit) -> None:
    one = replace(kit.factory_sounds(RATE_HZ)[0], file="My Kick.wav@0123456789ab")
    gone = "tiny/snare/file:My Snare.wav@0123456789ab"
    two = demanding(kit, 0.0, n_slots=2)

    def exported(*slots: KeptSlot) -> ExportedKit:
        return exported_kit("x", two, State("tiny", slots=slots), Form(RATE_HZ),
                            Amounts(round_robin=2), NewSounds(kit, RATE_HZ))

    assert exported(KeptSlot("BD", one.id, one, {})).slots[0].sounds == (one,)
    with pytest.raises(ConfigError, match="My Snare.wav, is not kept"):
        exported(KeptSlot("SD", gone, None, {}))


def test_more_classes_than_slots_keep_the_slots_with_the_most_sounds(kit: Kit) -> None:
    one = kit.factory_sounds(RATE_HZ)[0]
    sounds = [replace(one, class_asked=f"class{n}", seed=seed)
              for n in range(20) for seed in range(n + 1)]
    exported = exported_sounds("favourites", sounds, Form(RATE_HZ))
    assert len(exported.slots) == 16
    assert min(len(slot.sounds) for slot in exported.slots) == 5


def test_favourites_say_what_cannot_be(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "favourites_folder", lambda: tmp_path / "none")
    with pytest.raises(ConfigError, match="there are none"):
        collect("favourites", Amounts(), Form())
    with pytest.raises(ConfigError, match="leave out --count"):
        collect("favourites", Amounts(count=3), Form())
