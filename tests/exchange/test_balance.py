"""What is exported keeps the balance of the kit: each slot as loud, against the kick, as the
instrument has it, by the format's own law of gain and pan."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

from gan808.exchange.decay import decayed
from gan808.exchange.formats import FORMATS, write_export
from gan808.sound.loudness import momentary_lkfs
from gan808.sound.sound import Sound
from tests.exchange.conftest import Various
from tests.exchange.players import BLOCK, RATE_HZ, fluidsynth_with, instrument_plays

KICK = 36
# Hydrogen's XML and kit.json hold what they hold; SFZ rounds to hundredths of a decibel.
CLOSE_LU = 0.05


@dataclass(frozen=True)
class Heard:
    """One sample as a sampler of that format plays it: gains of its sides, tune in semitones."""

    file: Path
    left: float
    right: float
    tune: float

    def audio(self, sound: Sound) -> np.ndarray:
        """Float (n, 2). A stereo sample's channels stay on their sides."""
        read, _ = soundfile.read(self.file, dtype="float32", always_2d=True)
        mono = read.shape[1] == 1
        there = replace(sound, audio=np.ascontiguousarray(read[:, 0]) if mono else read)
        # The engine at its centre has 0.707 on both sides.
        return instrument_plays(there, {"tune": self.tune, "level": 0.8}).T / (
            0.8 * 2 ** -0.5) * (self.left, self.right)


def constant_power(level: float, pan: float) -> tuple[float, float]:
    angle = (pan + 1) * np.pi / 4
    return level * float(np.cos(angle)), level * float(np.sin(angle))


def of_sfz(out: Path) -> dict[int, Heard]:
    """volume in decibels, pan of constant power, as ARIA and sfizz have it."""
    found = {}
    for part in (out / "kit.sfz").read_text("utf-8").split("<region>")[1:]:
        region = dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
        if "volume" in region:
            sides = constant_power(10 ** (float(region["volume"]) / 20), float(region["pan"]) / 100)
            tune = float(region["transpose"]) + float(region["tune"]) / 100
            found[int(region["key"])] = Heard(out / region["sample"], *sides, tune)
    return found


def of_hydrogen(archive: Path) -> dict[int, Heard]:
    """A linear volume; the nearer side stays, the other falls (Sampler.cpp, its default law)."""
    with tarfile.open(archive) as opened:
        opened.extractall(archive.parent, filter="data")
    (document,) = archive.parent.glob("*/drumkit.xml")
    space = {"h": "http://www.hydrogen-music.org/drumkit"}
    found = {}
    for each in ElementTree.parse(document).getroot().iterfind(".//h:instrument", space):
        def number(name: str, each: ElementTree.Element = each) -> float:
            return float(each.findtext(f"h:{name}", "", space))

        volume, pan = number("volume"), number("pan")
        file = document.parent / each.findtext(".//h:filename", "", space)
        found[round(number("midiOutNote"))] = Heard(
            file, volume * min(1, 1 - pan), volume * min(1, 1 + pan), number("pitchOffset"))
    return found


def of_decent_sampler(out: Path) -> dict[int, Heard]:
    """A linear volume; its guide does not say the pan's law, so that of most."""
    found = {}
    for group in ElementTree.parse(out / "kit.dspreset").getroot().iter("group"):
        sides = constant_power(float(group.get("volume", "")), float(group.get("pan", "")) / 100)
        for sample in group.iter("sample"):
            found[int(sample.get("rootNote", ""))] = Heard(
                out / sample.get("path", ""), *sides, float(group.get("groupTuning", "")))
    return found


def of_wav(out: Path) -> dict[int, Heard]:
    """Whoever plays the folders sets what kit.json says."""
    slots = json.loads((out / "kit.json").read_text("utf-8"))["slots"]
    return {slot["note"]: Heard(out / slot["code"] / "000.wav",
                                *constant_power(slot["level"], slot["pan"]), slot["tune_semitones"])
            for slot in slots}


READERS: Mapping[str, Callable[[Path], dict[int, Heard]]] = {
    "sfz": of_sfz, "h2drumkit": of_hydrogen, "dspreset": of_decent_sampler, "wav": of_wav}


def balance(heard: Mapping[int, np.ndarray]) -> dict[int, float]:
    """Loudness of each note against the kick's, LU."""
    loudness = {note: momentary_lkfs(audio, RATE_HZ) for note, audio in heard.items()}
    return {note: each - loudness[KICK] for note, each in loudness.items()}


@pytest.fixture(scope="module")
def instruments(various: Various) -> dict[int, float]:
    """The balance of the kit as the engine plays it."""
    heard = {}
    for note, slot in various[1].items():
        assert slot.sound is not None
        heard[note] = instrument_plays(slot.sound, slot.values).T
    return balance(heard)


@pytest.mark.parametrize("name", READERS)
def test_an_export_is_in_the_instruments_balance(
    various: Various, instruments: dict[int, float], tmp_path: Path, name: str
) -> None:
    kit, slots = various
    write_export(kit, FORMATS[name], tmp_path / "out")
    heard = {}
    for note, each in READERS[name](tmp_path / "out").items():
        sound = slots[note].sound
        assert sound is not None
        heard[note] = each.audio(sound)
    assert balance(heard) == pytest.approx(instruments, abs=CLOSE_LU)


def test_a_soundfont_is_in_the_instruments_balance(
    various: Various, instruments: dict[int, float], tmp_path: Path
) -> None:
    """As FluidSynth plays it."""
    kit, slots = various
    write_export(kit, FORMATS["sf2"], tmp_path / "kit.sf2")
    with fluidsynth_with(tmp_path / "kit.sf2") as player:
        heard = {note: player.play(note, RATE_HZ // 2).T for note in slots}
    assert balance(heard) == pytest.approx(instruments, abs=CLOSE_LU)


def test_an_sfz_is_in_the_instruments_balance_and_place_as_sfizz_plays_it(
    various: Various, instruments: dict[int, float], tmp_path: Path
) -> None:
    """A player of SFZ that glides into each note, so that it is a sample late and not the same
    to the bit; it plays the whole kit 8.5 dB lower."""
    sfizz = pytest.importorskip("pysfizz")
    kit, slots = various
    write_export(kit, FORMATS["sfz"], tmp_path / "out")
    player = sfizz.Synth(sample_rate=RATE_HZ, block_size=BLOCK)
    player.load_sfz_file(str(tmp_path / "out/kit.sfz"))
    heard = {note: player.render_note(note, 127, 0.5, 0.5).T for note in slots}
    assert balance(heard) == pytest.approx(instruments, abs=CLOSE_LU)
    for note, slot in slots.items():
        assert slot.sound is not None
        meant = instrument_plays(slot.sound, slot.values).T
        sides, of_meant = (np.linalg.norm(each, axis=0) for each in (heard[note], meant))
        assert sides / np.linalg.norm(sides) == pytest.approx(
            of_meant / np.linalg.norm(of_meant), abs=0.005), slot.code


@pytest.mark.parametrize("tune", [-7.0, 0.0, 5.5])
def test_a_decay_in_the_sample_is_the_engines(
    various: Various, tune: float
) -> None:
    """Whatever the tune that it is played at."""
    _, slots = various
    sound = slots[KICK].sound
    assert sound is not None
    fallen = replace(sound, audio=decayed(sound.audio, 0.4, RATE_HZ, tune))
    meant = instrument_plays(sound, {"tune": tune, "decay": 0.4})
    heard = instrument_plays(fallen, {"tune": tune})
    n = min(meant.shape[1], heard.shape[1])
    np.testing.assert_allclose(heard[:, :n], meant[:, :n], atol=1e-4)
    assert decayed(sound.audio, 1.0, RATE_HZ) is sound.audio
