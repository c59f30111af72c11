"""Exports for other samplers: each format read back by itself, whole or not there at all."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

from gan808 import paths
from gan808.app.offline.export import ExportOrder, collect, export_sounds
from gan808.errors import ConfigError, Gan808Error
from gan808.exchange.collecting import Amounts, Form, _layers
from gan808.exchange.exported_kit import ExportedKit
from gan808.exchange.formats import FORMATS, Format, write_export
from gan808.instrument.state import KeptSlot, State
from gan808.sound.kit.kit import load_kit
from gan808.sound.loudness import momentary_lkfs
from gan808.storage.scene_files import save_scene
from tests.exchange.conftest import ODD
from tests.tiny_kit import write_tiny_kit


def test_wav_folder_is_read_by_strudel_and_holds_the_sounds(
    kit: ExportedKit, tmp_path: Path
) -> None:
    write_export(kit, FORMATS["wav"], tmp_path / "out")
    listing = json.loads((tmp_path / "out/strudel.json").read_text())
    assert listing.pop("_base") == "./"
    assert sum(map(len, listing.values())) == len(kit.samples())
    for _, _, _, sound, path in kit.samples():
        audio, rate = soundfile.read(tmp_path / "out" / path)
        assert rate == 48_000
        np.testing.assert_allclose(audio, sound.audio, atol=2 / 2**15)
    assert json.loads((tmp_path / "out/kit.json").read_text("utf-8"))["name"] == ODD


def test_sfz_has_a_region_a_sound_and_hats_choke(kit: ExportedKit, tmp_path: Path) -> None:
    write_export(kit, FORMATS["sfz"], tmp_path / "out")
    text = (tmp_path / "out/kit.sfz").read_text("utf-8")
    regions = [dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
               for part in text.split("<region>")[1:]]
    regions = [region for region in regions if region["sample"] != "*silence"]
    assert len(regions) == len(kit.samples())
    assert "default_path" not in text
    assert all((tmp_path / "out" / region["sample"]).is_file() for region in regions)
    hats = [region for region in regions if region["key"] in ("42", "46")]
    assert {hat["group"] == hat["off_by"] == "1" for hat in hats} == {True}


def test_sfz_ends_a_cymbal_that_is_grabbed_and_no_other_drum(
    kit: ExportedKit, tmp_path: Path
) -> None:
    write_export(kit, FORMATS["sfz"], tmp_path / "out")
    parts = (tmp_path / "out/kit.sfz").read_text("utf-8").split("<region>")[1:]
    regions = [dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
               for part in parts]
    silences = {region["group"]: region for region in regions if "on_locc130" in region}
    ended = {region["key"] for region in regions if region.get("off_by") in silences}
    assert ended == {"42", "46", "49"}
    for silence in silences.values():
        assert (silence["sample"], silence["hikey"]) == ("*silence", "-1")


def test_hydrogen_kit_has_ascii_paths_and_its_own_name(kit: ExportedKit, tmp_path: Path) -> None:
    write_export(kit, FORMATS["h2drumkit"], tmp_path / "kit.h2drumkit")
    with tarfile.open(tmp_path / "kit.h2drumkit") as archive:
        names = archive.getnames()
        document = archive.extractfile("Kase_Brot_1/drumkit.xml")
        assert document is not None
        content = document.read()
    assert all(name.isascii() for name in names)
    assert content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<')
    space = {"h": "http://www.hydrogen-music.org/drumkit"}
    root = ElementTree.fromstring(content)
    assert root.findtext("h:name", namespaces=space) == ODD
    files = [entry.text for entry in root.iterfind(".//h:filename", space)]
    assert {f"Kase_Brot_1/{file}" for file in files} < set(names)
    for instrument in root.iterfind(".//h:instrument", space):
        number = int(instrument.findtext("h:id", "", space))
        assert number == int(instrument.findtext("h:midiOutNote", "", space)) - 36


def test_decent_sampler_preset_names_every_sample(kit: ExportedKit, tmp_path: Path) -> None:
    write_export(kit, FORMATS["dspreset"], tmp_path / "out")
    root = ElementTree.parse(tmp_path / "out/kit.dspreset").getroot()
    assert json.loads((tmp_path / "out/kit.json").read_text("utf-8"))["name"] == ODD
    samples = list(root.iter("sample"))
    assert [(tmp_path / "out" / s.get("path", "")).is_file() for s in samples] == (
        [True] * len(kit.samples()))
    silenced = [g for g in root.iter("group") if g.get("silencedByTags")]
    assert silenced
    assert all(str(g.get("silencedByTags")) in str(g.get("tags")) for g in silenced)


def test_softer_layers_are_darker_and_cover_every_velocity(tmp_path: Path) -> None:
    folder = write_tiny_kit(tmp_path / "tiny")
    kit = collect(str(folder), Amounts(1, 2, 2), Form(44_100))
    for slot in kit.slots:
        soft, hard = slot.layers
        assert (soft.lowest, soft.highest + 1, hard.highest) == (1, hard.lowest, 127)
        assert len(soft.sounds) == len(hard.sounds) == 2
        assert max(s.descriptors.brightness_hz for s in soft.sounds) <= min(
            s.descriptors.brightness_hz for s in hard.sounds)
        loudness = [momentary_lkfs(sound.audio, 44_100) for sound in slot.sounds]
        assert np.ptp(loudness) < 1, "they stand in for each other"


def test_a_file_in_a_slot_is_exported_alone_and_said_where_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_tiny_kit(tmp_path / "tiny")
    monkeypatch.setattr(paths, "kit_folders", lambda: (tmp_path,))
    monkeypatch.setattr(paths, "scenes_folder", lambda: tmp_path / "scenes")
    sound = replace(load_kit(folder).factory_sounds(48_000)[0], file="mine.wav@0123456789ab")
    save_scene(tmp_path / "scenes", "gone",
               State("tiny", slots=(KeptSlot("BD", sound.id, None, {}),)))
    (layer,) = _layers([sound], Amounts(1, 2, 2), None)
    assert (layer.lowest, layer.highest, [s.id for s in layer.sounds]) == (1, 127, [sound.id])
    with pytest.raises(ConfigError, match=r"BD: its sound, of the file mine\.wav, is not kept"):
        collect("scene:gone", Amounts(), Form(48_000, 16))


def test_a_folder_of_somebody_else_is_left_alone(kit: ExportedKit, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="left alone"):
        write_export(kit, FORMATS["wav"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_export_of_before_is_left_alone_with_what_was_added_to_it(
    kit: ExportedKit, tmp_path: Path
) -> None:
    """Also inside a slot's folder, where somebody may have put a sound of their own."""
    write_export(kit, FORMATS["wav"], tmp_path / "out")
    mine = next((tmp_path / "out").glob("*/")) / "mine.wav"
    mine.write_text("mine")
    with pytest.raises(ConfigError, match="left alone"):
        write_export(kit, FORMATS["wav"], tmp_path / "out")
    assert mine.read_text() == "mine"


def test_nothing_is_left_of_an_export_that_fails(kit: ExportedKit, tmp_path: Path) -> None:
    def fails(kit: ExportedKit, folder: Path) -> None:
        FORMATS["sfz"].write(kit, folder)
        raise OSError("disk full")

    with pytest.raises(Gan808Error, match="disk full"):
        write_export(kit, Format(fails), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("order", "said"), [
    (ExportOrder("tiny", "mp3", Path("x")), "format .mp3."),
    (ExportOrder("tiny", "wav", None), "--out"),
    (ExportOrder("tiny", "wav", Path("x"), form=Form(8000)), "--rate"),
    (ExportOrder("tiny", "wav", Path("x"), form=Form(bits=8)), "--bits"),
])
def test_wrong_orders_are_told(order: ExportOrder, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        export_sounds(order)
