"""Exports in the hands of the programs they are for, and of the field's own checkers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gan808.exchange.exported_kit import ExportedKit
from gan808.exchange.formats import FORMATS, write_export
from gan808.exchange.sf2 import LEAD
from tests.exchange.conftest import Various
from tests.exchange.players import (
    CENTRE,
    FLUIDSYNTH_CENTRE,
    fluidsynth_with,
    instrument_plays,
    through_its_filter,
)

HERE = Path(__file__).parent
# No sound card, no server started on its behalf.
HYDROGEN_SETTINGS = """<hydrogen_preferences><audio_engine>
<audio_driver>NullDriver</audio_driver></audio_engine></hydrogen_preferences>"""


def program(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here")
    return found


def checked_by_hydrogen(archive: Path, home: Path) -> str:
    (home / ".hydrogen").mkdir(parents=True, exist_ok=True)
    (home / ".hydrogen/hydrogen.conf").write_text(HYDROGEN_SETTINGS)
    done = subprocess.run(
        [program("h2cli"), "-c", str(archive)], capture_output=True, text=True, timeout=60,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(home),
             "JACK_NO_START_SERVER": "1"})
    return done.stdout


@pytest.mark.parametrize("name", ["plain", 'Käse & "Bröt"/1'])
def test_hydrogen_takes_the_drumkit(kit: ExportedKit, tmp_path: Path, name: str) -> None:
    write_export(replace(kit, name=name), FORMATS["h2drumkit"], tmp_path / "kit.h2drumkit")
    assert "] is valid" in checked_by_hydrogen(tmp_path / "kit.h2drumkit", tmp_path / "home")


def test_hydrogen_sees_what_is_wrong(tmp_path: Path) -> None:
    """So that the test above can fail."""
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit/drumkit.xml").write_text("<drumkit_info/>")
    archive = shutil.make_archive(str(tmp_path / "kit"), "gztar", tmp_path, "kit")
    assert "is INVALID" in checked_by_hydrogen(Path(archive), tmp_path / "home")


def test_sfzlint_finds_nothing(kit: ExportedKit, tmp_path: Path) -> None:
    write_export(kit, FORMATS["sfz"], tmp_path / "out")
    linted = subprocess.run([program("sfzlint"), "--no-pickle", str(tmp_path / "out/kit.sfz")],
                            capture_output=True, text=True, timeout=60)
    assert (linted.stdout + linted.stderr, linted.returncode) == ("", 0)


def test_decent_sampler_preset_is_as_its_guide_has_it(kit: ExportedKit, tmp_path: Path) -> None:
    etree = pytest.importorskip("lxml.etree")
    write_export(kit, FORMATS["dspreset"], tmp_path / "out")
    schema = etree.XMLSchema(etree.parse(HERE / "dspreset.xsd"))
    schema.assertValid(etree.parse(tmp_path / "out/kit.dspreset"))


def test_fluidsynth_plays_the_instruments_sounds_to_16_bits(
    various: Various, tmp_path: Path
) -> None:
    """Every note of a kit as the engine plays it: levels, decays, stereo and its balance, and the
    attack, but for one gain and the low-pass of the player. It has its own way to interpolate what
    is tuned, and places of its own, a little beside ours, for a mono sound that is panned."""
    kit, slots = various
    write_export(kit, FORMATS["sf2"], tmp_path / "kit.sf2")
    gain = 0.0  # of its volume controls, just below 1: one for the whole kit
    with fluidsynth_with(tmp_path / "kit.sf2") as player:
        for note, kept in slots.items():
            assert kept.sound is not None
            wide = kept.sound.audio.ndim == 2
            if kept.values.get("tune") or (kept.values.get("pan") and not wide):
                continue
            expected = instrument_plays(kept.sound, kept.values)
            if not wide:
                expected = expected * (FLUIDSYNTH_CENTRE / CENTRE)
            heard = player.play(note, LEAD + expected.shape[1])[:, LEAD:]
            for side, sound_there in zip(heard, expected, strict=True):
                meant, played = through_its_filter(sound_there), side[:len(sound_there)]
                gain = gain or float(meant @ played / (meant @ meant))
                assert np.abs(played - gain * meant).max() < 1 / 32768, kept.code
    assert 0.95 < gain < 1
