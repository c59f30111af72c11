"""A kit on disk: what goes in comes out, and a broken one is refused by name."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gan808.errors import KitError
from gan808.sound.kit.kit import find_kit, list_kits, load_kit
from gan808.sound.kit.verify import verify_kit
from tests.tiny_kit import CLASSES, FACTORY_A_CLASS, GEOMETRY, drum, write_tiny_kit


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny")


@pytest.fixture
def folder(original, tmp_path):
    """A copy to break."""
    return shutil.copytree(original, tmp_path / "tiny")


def edit(folder, old, new):
    path = folder / "kit.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_what_was_saved_is_loaded(original):
    kit = load_kit(original)
    assert (kit.name, kit.classes, kit.geometry) == ("tiny", CLASSES, GEOMETRY)
    assert len(kit.slots) == 16
    assert kit.slots[4].third == 2
    moments, realness = kit.statistics()
    assert moments.mean.shape == (GEOMETRY.n_bands,)
    assert realness.shape[0] == len(CLASSES)


def test_factory_sounds_come_at_the_rate_asked_for(original):
    sounds = load_kit(original).factory_sounds(48000)
    assert len(sounds) == FACTORY_A_CLASS * len(CLASSES)
    sound = next(s for s in sounds if s.id == "tiny/kick/1")
    assert (sound.sample_rate_hz, sound.class_heard) == (48000, "kick")
    assert len(sound.audio) == pytest.approx(3 * len(drum("kick", 1)), abs=3)
    kit = load_kit(original)
    plain = next(s for s in kit.factory_sounds(16000) if s.id == "tiny/kick/1")
    balanced = kit.balanced(drum("kick", 1), 16000, "kick")
    np.testing.assert_allclose(plain.audio, balanced, atol=2**-22)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format_version = 1", "format_version = 9", "format 9, this program reads 1"),
        ("format_version = 1", "format_version = 1\nevil = 1", "evil"),
        ('name = "tiny"', 'name = "../tiny"', "name"),
        ("n_bands = 64", "n_bands = 65", "n_bands 65"),
        ("width = 4", "width = 99999", "width 99999"),
        ('class = "kick"', 'class = "gong"', "gong: not among the classes"),
        ("notes = [36, 35]", "notes = [36, 200]", "MIDI notes"),
        ("notes = [36, 35]", "notes = [36, 38]", "a note appears twice"),
        ('file = "clap-0.flac"', 'file = "../../clap-0.flac"', "factory.0.file"),
        ("[geometry]", "[geometry", "cannot be read"),
    ],
)
def test_a_broken_manifest_is_refused_in_one_line_that_names_it(folder, old, new, said):
    edit(folder, old, new)
    with pytest.raises(KitError, match="kit.toml") as refused:
        load_kit(folder)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value).strip()


@pytest.mark.parametrize("name", ["kit.toml", "weights.safetensors", "moments.npz"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(KitError, match=name):
        load_kit(folder)


def test_pickles_are_refused(folder):
    bomb = np.array([{"a": 1}], dtype=object)
    np.savez(folder / "moments.npz", mean=bomb, deviation=bomb, realness=bomb)
    with pytest.raises(KitError, match="moments.npz"):
        load_kit(folder).statistics()


def test_every_fault_of_numbers_is_found(folder):
    weights = folder / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[: len(content) // 2])
    (folder / "moments.npz").write_bytes(b"no zip")
    (folder / "factory" / "clap-0.flac").write_bytes(b"no flac")
    problems = "\n".join(verify_kit(folder))
    for name in ("weights.safetensors", "moments.npz", "clap-0.flac"):
        assert name in problems


@pytest.mark.parametrize("damage", ["no archive", "cut", "changed", "pickle"])
def test_a_damaged_archive_is_one_line_that_trusts_nothing(folder, damage):
    path = folder / "moments.npz"
    content = bytearray(path.read_bytes())
    if damage == "changed":
        content[200:400] = bytes(byte ^ 0x5A for byte in content[200:400])
    path.write_bytes({"no archive": b"garbage", "cut": content[:-100], "changed": content,
                      "pickle": b"\x80\x04}."}[damage])
    with pytest.raises(KitError, match="moments.npz") as refused:
        load_kit(folder).statistics()
    assert "\n" not in str(refused.value)
    assert "pickle" not in str(refused.value)


def test_a_missing_factory_sound_is_called_missing(folder):
    (folder / "factory" / "clap-0.flac").unlink()
    with pytest.raises(KitError, match=r"clap-0.flac: is missing"):
        load_kit(folder).factory_sounds(16000)


def test_weights_of_other_networks_are_refused(folder):
    edit(folder, "width = 4", "width = 8")
    assert any("weights.safetensors" in p and "shape" in p for p in verify_kit(folder))


def test_layers_that_are_gone_are_refused_by_name_and_a_kit_that_had_none_loads(folder):
    before = load_kit(folder).manifest.network
    edit(folder, "[network]\n", "[network]\nlow_blocks = 0\ntexture = false\n")
    assert load_kit(folder).manifest.network == before
    edit(folder, "texture = false", "texture = true")
    with pytest.raises(KitError, match=r"kit.toml: network: texture True: layers") as refused:
        load_kit(folder)
    assert "\n" not in str(refused.value)


def test_a_factory_sound_that_is_too_long_is_refused(folder):
    path = folder / "factory" / "kick-0.flac"
    soundfile.write(path, np.zeros(16000 * 6), 16000)
    with pytest.raises(KitError, match="kick-0.flac"):
        load_kit(folder).factory_sounds(16000)


def test_kits_are_found_by_name_or_path_and_the_first_folder_wins(original, tmp_path):
    own = shutil.copytree(original, tmp_path / "own" / "tiny")
    folders = (tmp_path / "own", original.parent, tmp_path / "nowhere")
    assert find_kit("tiny", folders).folder == own
    assert find_kit(str(original), ()).folder == original
    assert len(list_kits(folders)) == 1
    with pytest.raises(KitError, match="there is: tiny"):
        find_kit("gone", folders)


def test_the_default_kit_leads_the_list():
    """Kits that ship: program 1 on MIDI is the first, and many send it at their start."""
    names = [kit.name for kit in list_kits((Path(__file__).parents[2] / "kits",))]
    assert names[0] == "gan808"
    assert names[1:] == sorted(names[1:])
    assert "acoustic" in names


def test_a_broken_kit_is_listed_as_its_error(folder):
    (folder / "weights.safetensors").unlink()
    listed = list_kits((folder.parent,))
    assert len(listed) == 1
    assert isinstance(listed[0], KitError)
