"""The slots a start begins with: what the ordinary start reads, from the same files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan808.early.image import Image, Unfit
from gan808.early.slots import RANGES, FirstSlot, first_slots
from gan808.instrument.state import KeptSlot, State
from gan808.storage.session_files import LOCK, STATE, Lock, StateFiles
from tests.fakes import fake_sound

RATE_HZ = 48_000
DEFAULTS = {"level": 0.8, "tune": 0.0, "decay": 1.0, "pan": 0.0, "mute": 0, "choke": 0, "gate": 0}
LEFT = {"level": 0.25, "tune": -3.0, "decay": 0.5, "pan": 0.75, "mute": 1, "choke": 2, "gate": 1,
        "lock": 1, "width": 0.5}
FACTORY = np.linspace(-0.5, 0.5, 32, dtype=np.float32)


def state(**changes: Any) -> State:
    slots = (KeptSlot("BD", "fake/kick/1", fake_sound("kick", 1), LEFT),
             KeptSlot("SD", "fake/snare/2", fake_sound("snare", 2, trail="+w@0.5"), DEFAULTS),
             KeptSlot("CP", "fake/clap/3", None, DEFAULTS))
    return replace(State("fake", {"/volume": 0.3}, None, slots), **changes)


def image(folder: Path, **about: Any) -> Image:
    """An image of four slots, of which CP has a factory sound."""
    sound = {"at": [0, FACTORY.nbytes], "channels": 1}
    facts = {
        "engine": {"rate_hz": RATE_HZ}, "volume": 0.8,
        "state": {"kept": True, "place": str(folder), "kit": "fake", "kit_from_state": True,
                  "kit_of_settings": True, "volume_from_state": True} | about,
        "slots": [{"code": code, "values": DEFAULTS, "sound": sound if code == "CP" else None}
                  for code in ("BD", "SD", "CP", "CH")],
    }
    return Image(facts, memoryview(FACTORY.tobytes()))


def audio(slot: FirstSlot) -> np.ndarray:
    return np.frombuffer(slot.audio, np.float32).reshape(-1, slot.channels).squeeze()


def test_they_begin_as_they_were_left(tmp_path: Path) -> None:
    """Values and sounds as StateFiles reads them; where a sound is missing, the kit's."""
    StateFiles(tmp_path).write(state())
    volume, slots = first_slots(image(tmp_path))
    files = StateFiles(tmp_path)
    files.read()
    kept = {slot.code: slot for slot in files.slots("fake", RATE_HZ)}
    assert volume == pytest.approx(0.3)
    for slot, code in zip(slots[:2], ("BD", "SD"), strict=True):
        sound = kept[code].sound
        assert sound is not None
        np.testing.assert_array_equal(audio(slot), sound.audio)
        assert slot.values == {name: kept[code].values[name] for name in RANGES}
    np.testing.assert_array_equal(audio(slots[2]), FACTORY)
    assert (slots[3].channels, slots[3].frames, slots[3].values) == (0, 0, DEFAULTS)


@pytest.mark.parametrize("about", [{"kept": False}, {}], ids=["not kept", "no state yet"])
def test_without_a_state_they_begin_with_the_kit(about: dict[str, bool], tmp_path: Path) -> None:
    if about:
        StateFiles(tmp_path).write(state())
    volume, slots = first_slots(image(tmp_path, **about))
    assert volume == 0.8
    assert [slot.channels for slot in slots] == [0, 0, 1, 0]
    assert all(slot.values == DEFAULTS for slot in slots)


def test_a_volume_that_was_given_comes_first(tmp_path: Path) -> None:
    StateFiles(tmp_path).write(state())
    assert first_slots(image(tmp_path, volume_from_state=False))[0] == 0.8


def test_a_kit_that_was_given_has_its_own_slots(tmp_path: Path) -> None:
    """Another kit was worn last: with --kit the slots of that one as they were, or as it has
    them; without, the ordinary start finds the other kit."""
    StateFiles(tmp_path).write(state(kit="another"))
    with pytest.raises(Unfit):
        first_slots(image(tmp_path))
    _, slots = first_slots(image(tmp_path, kit_from_state=False))
    assert [slot.channels for slot in slots] == [0, 0, 1, 0]


def test_anew_means_the_kit_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(Unfit):
        first_slots(image(tmp_path, kit_of_settings=False))


def test_while_another_process_keeps_the_state_it_is_not_ours(tmp_path: Path) -> None:
    StateFiles(tmp_path).write(state())
    lock = Lock(tmp_path / LOCK)
    assert lock.take()
    with pytest.raises(Unfit):
        first_slots(image(tmp_path))
    lock.give_back()
    first_slots(image(tmp_path))


def sound_file(folder: Path) -> Path:
    """The file of BD's sound."""
    content = json.loads((folder / STATE).read_text(encoding="utf-8"))
    return folder / "sounds" / content["kits"]["fake"][0]["sound"]


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / STATE).read_text(encoding="utf-8"))
    change(content)
    (folder / STATE).write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / STATE).write_text("{"),
    lambda folder: (folder / STATE).write_text("[]"),
    lambda folder: edit(folder, lambda state: state.update(format=99)),
    lambda folder: edit(folder, lambda state: state.pop("kits")),
    lambda folder: edit(folder, lambda state: state["values"].update({"/volume": "loud"})),
    lambda folder: edit(folder, lambda s: s["kits"]["fake"][0]["values"].update(level="loud")),
    lambda folder: edit(folder, lambda s: s["kits"]["fake"][0].update(sound="../../etc/passwd")),
    lambda folder: sound_file(folder).unlink(),
    lambda folder: sound_file(folder).write_bytes(sound_file(folder).read_bytes()[:-4]),
    lambda folder: sound_file(folder).write_bytes(sound_file(folder).read_bytes()[:-1] + b"\x7f"),
], ids=["no JSON", "no table", "format", "no kits", "volume", "level", "path", "no sound", "short",
        "bits"])
def test_a_damaged_state_is_left_to_the_ordinary_start(
        damage: Callable[[Path], object], tmp_path: Path) -> None:
    StateFiles(tmp_path).write(state())
    damage(tmp_path)
    with pytest.raises((Unfit, ValueError, KeyError, TypeError, OSError)):
        first_slots(image(tmp_path))


def test_numbers_out_of_range_are_brought_back(tmp_path: Path) -> None:
    StateFiles(tmp_path).write(state())
    edit(tmp_path, lambda s: s["kits"]["fake"][0]["values"].update(level=7, pan=-7))
    slot = first_slots(image(tmp_path))[1][0]
    assert (slot.values["level"], slot.values["pan"]) == (1.0, -1.0)


def test_a_sound_of_another_rate_is_left_to_the_ordinary_start(tmp_path: Path) -> None:
    kept = KeptSlot("BD", "fake/kick/1", fake_sound("kick", 1, rate_hz=44_100), LEFT)
    StateFiles(tmp_path).write(state(slots=(kept,)))
    with pytest.raises(Unfit):
        first_slots(image(tmp_path))
