"""Finding sounds: class names of all spellings, and what is unusable named and counted."""

import re

import numpy as np
import pytest
import soundfile

from gan808.errors import CorpusError
from gan808.sound.kit.manifest import CLASS_PATTERN
from gan808.sound.spectral.spectrogram import denormalise
from tests.tiny_kit import GEOMETRY
from tests.training.tiny_recipe import write_drums
from training.corpus.classes import ALIASES, class_of, folder_class
from training.corpus.folder import FolderSource
from training.corpus.recording import Skipped
from training.dataset import Dataset, PrepareOptions, prepare


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BD", "kick"), ("Bassdrum 2", "kick"), ("drum_bass_hard", "kick"), ("Snares", "snare"),
        ("OpenHat_03", "open_hat"), ("hihat", "closed_hat"), ("HH Closed", "closed_hat"),
        ("Hand Claps", "clap"), ("RimShot", "rimshot"), ("cow bell", "cowbell"),
        ("Bass Drums", "kick"), ("BASSDRUMS", "kick"), ("kickdrum", "kick"), ("TR808Kick", "kick"),
        ("Open Hats", "open_hat"), ("Open Hi-Hats", "open_hat"), ("openhihats", "open_hat"),
        ("Open HH", "open_hat"), ("OpenHH 3", "open_hat"), ("HHO", "open_hat"),
        ("OHClean", "open_hat"), ("HHC_1", "closed_hat"), ("Closed Hi-Hats", "closed_hat"),
        ("ClosedHH", "closed_hat"), ("hi-hats", "closed_hat"), ("handclaps", "clap"),
        ("Snr_01", "snare"), ("LowTom", "tom"), ("hitoms", "tom"), ("hiconga", "conga"),
        ("crashes", "cymbal"), ("Rides", "cymbal"), ("wood-blocks", "claves"),
        ("floor tom", "tom"), ("bongo", "conga"), ("Maracas", "shaker"), ("Ride", "cymbal"),
        ("vocals", None), ("chair", None), ("kickstart", None),
        ("OHat", "open_hat"), ("OpHat 2", "open_hat"), ("Kick OH", "kick"), ("OH", "open_hat"),
        ("Snare CH", "snare"), ("Kick & Snare", None), ("Drum & Bass", None),
        ("drum_and_bass", None), ("Congas + Bongos", "conga"), ("Hats n Cymbals", None),
        ("CR_01", "cymbal"), ("RD", "cymbal"), ("KD02", "kick"), ("Kck", "kick"),
        ("Perc", "percussion"), ("Percussion", "percussion"), ("Tamb 1", "tambourine"),
        ("Sandstorm", None),
    ],
)
def test_class_names_of_sample_packs(name, expected):
    assert class_of(name) == expected


def test_every_class_name_means_itself():
    for name in ALIASES:
        assert class_of(name) == class_of(name.upper()) == class_of(f"01 {name} hard") == name


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("wav", {"subtype": "DOUBLE"}), ("flac", {}), ("ogg", {}), ("mp3", {}), ("caf", {}),
     ("aiff", {"subtype": "PCM_24"}), ("opus", {"format": "OGG", "subtype": "OPUS"}),
     ("au", {}), ("w64", {})],
)
def test_every_format_of_libsndfile_is_read(tmp_path, suffix, options):
    t = np.arange(24000) / 48000
    stereo = np.stack([0.5 * np.sin(2 * np.pi * 440 * t)] * 2, axis=1)
    (tmp_path / "kick").mkdir()
    soundfile.write(tmp_path / "kick" / f"one.{suffix}", stereo, 48000, **options)
    found = list(FolderSource(tmp_path).recordings(Skipped()))
    audio, rate_hz = found[0].read()
    assert (rate_hz, audio.ndim, audio.dtype) == (48000, 1, np.float32)
    spectrum = np.abs(np.fft.rfft(audio[:24000]))
    assert spectrum.argmax() * 48000 / len(audio[:24000]) == pytest.approx(440, abs=4)


def test_headerless_files_are_named_and_left_out(tmp_path):
    (tmp_path / "kick").mkdir()
    (tmp_path / "kick" / "one.raw").write_bytes(bytes(4000))
    skipped = Skipped()
    assert list(FolderSource(tmp_path).recordings(skipped)) == []
    assert skipped.reasons() == {"not audio": 1}


def test_a_folder_of_no_known_class_keeps_its_name():
    assert folder_class("My Zaps!") == "my_zaps"
    assert folder_class("Glöckchen") == "glockchen"


def test_folders_of_other_scripts_and_long_names_are_classes_of_their_own():
    names = ["\u592a\u9f13", "\u9234", "Vintage Analog Loops and FX (Processed)",
             "Vintage Analog Loops and FX (Processed) 2", "\udc81\udc82"]
    made = [folder_class(name) for name in names]
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(CLASS_PATTERN, name) for name in made)


def test_a_folder_of_two_classes_is_neither(tmp_path):
    for i, name in enumerate(("BD1.wav", "Snare 1.wav", "x.wav")):
        (tmp_path / "Kick & Snare").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "Kick & Snare" / name, np.sin(np.arange(800) / (5 + i)), 16000)
    skipped = Skipped()
    assert [r.class_name for r in FolderSource(tmp_path).recordings(skipped)] == ["kick", "snare"]
    assert skipped.reasons() == {"no drum class in its name": 1}


def test_a_pack_in_a_folder_of_two_classes_is_no_class(tmp_path):
    """Neither of both, and none that is called after the pack."""
    folder = tmp_path / "Kick & Snare" / "PackA"
    folder.mkdir(parents=True)
    for i, name in enumerate(("01.wav", "02.wav", "Snare 3.wav")):
        soundfile.write(folder / name, np.sin(np.arange(800) / (5 + i)), 16000)
    skipped = Skipped()
    assert [r.class_name for r in FolderSource(tmp_path).recordings(skipped)] == ["snare"]
    assert skipped.reasons() == {"no drum class in its name": 2}


@pytest.fixture
def messy(tmp_path):
    root = write_drums(tmp_path / "drums")
    (root / "kick" / "notes.txt").write_text("hello")
    (root / "kick" / "empty.wav").write_bytes(b"")
    (root / "kick" / "broken.wav").write_bytes(b"RIFF\0\0junk")
    soundfile.write(root / "kick" / "silent.wav", np.zeros(1600), 16000)
    soundfile.write(root / "kick" / "song.wav", np.ones(16000 * 31) * 0.1, 16000)
    soundfile.write(root / "kick" / "tick.wav", np.sin(np.arange(20)), 16000)
    (root / "gong").mkdir()
    soundfile.write(root / "gong" / "one.wav", np.sin(np.arange(4000) / 5), 16000)
    return root


def test_unusable_files_are_named_counted_and_skipped(messy, tmp_path):
    skipped = prepare([FolderSource(messy)], tmp_path / "out", GEOMETRY, PrepareOptions(0))
    why = dict(skipped.entries)
    assert why == {
        "drums/kick/notes.txt": "not audio",
        "drums/kick/empty.wav": "empty",
        "drums/kick/broken.wav": "corrupt",
        "drums/kick/silent.wav": "silent",
        "drums/kick/song.wav": "longer than 30 s",
        "drums/kick/tick.wav": "shorter than 3 ms",
        "drums/gong/one.wav": "alone in its class",
    }
    dataset = Dataset(tmp_path / "out")
    assert dataset.classes == ("kick", "snare")
    assert len(dataset) == 12


def test_a_folder_with_nothing_usable_is_a_one_line_error(tmp_path):
    (tmp_path / "drums" / "kick").mkdir(parents=True)
    (tmp_path / "drums" / "kick" / "readme.txt").write_text("no sound")
    with pytest.raises(CorpusError, match="nothing usable.*1 not audio") as error:
        prepare([FolderSource(tmp_path / "drums")], tmp_path / "out", GEOMETRY)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_files_in_the_root_are_classed_by_their_own_names(tmp_path):
    for i, name in enumerate(("bd_808.wav", "sn_dolf.wav", "loop_amen.wav")):
        soundfile.write(tmp_path / name, np.sin(np.arange(4000) / (5 + i)), 16000)
    skipped = Skipped()
    found = {(r.origin, r.class_name) for r in FolderSource(tmp_path).recordings(skipped)}
    root = tmp_path.name
    assert found == {(f"{root}/bd_808.wav", "kick"), (f"{root}/sn_dolf.wav", "snare")}
    assert [why for _, why in skipped.entries] == ["no drum class in its name"]


def test_packs_above_class_folders_are_told_apart(tmp_path):
    for pack, class_name in (("a", "kick"), ("b", "snare")):
        write_drums(tmp_path / "all" / pack, (class_name,), each=2)
    packs = {r.pack for r in FolderSource(tmp_path / "all").recordings(Skipped())}
    assert packs == {"all/a", "all/b"}


def test_stereo_of_another_rate_is_read(tmp_path):
    (tmp_path / "kick").mkdir()
    t = np.arange(22050) / 44100
    for i in range(2):
        stereo = np.stack([np.sin(2 * np.pi * (300 + 30 * i) * t), np.zeros_like(t)], axis=1)
        soundfile.write(tmp_path / "kick" / f"{i}.aiff", stereo, 44100)
    prepare([FolderSource(tmp_path)], tmp_path / "out", GEOMETRY, PrepareOptions(0))
    dataset = Dataset(tmp_path / "out")
    image = denormalise(dataset.image(0), dataset.moments)
    loudest_band = image.mean(axis=1).argmax()
    bin_hz = GEOMETRY.sample_rate_hz / GEOMETRY.n_fft
    assert abs(loudest_band * bin_hz - 300) <= bin_hz
