"""Loops and takes: found, named, cut into their hits."""

import numpy as np
import pytest
import soundfile

from training.corpus.folder import FolderSource
from training.corpus.hits import onsets
from training.corpus.packs import Selection
from training.corpus.recording import Skipped
from training.corpus.synth import synthesise

RATE_HZ = 44_100


def loop(*names, apart_s=0.25):
    """Synthesised voices, one every apart_s, each over the rest of the one before."""
    step = round(apart_s * RATE_HZ)
    audio = np.zeros(step * len(names) + 4 * RATE_HZ, np.float32)
    for i, name in enumerate(names):
        voice = synthesise(name, i)[: 4 * RATE_HZ]
        audio[i * step : i * step + len(voice)] += 0.4 * voice
    return audio


@pytest.mark.parametrize("apart_s", [0.2, 0.5])
def test_the_hits_of_a_loop_are_found(apart_s):
    names = ("kick", "closed_hat", "snare", "closed_hat") * 2
    found = np.asarray(onsets(loop(*names, apart_s=apart_s), RATE_HZ)) / RATE_HZ
    np.testing.assert_allclose(found, np.arange(8) * apart_s, atol=0.012)


@pytest.mark.parametrize("name", ["clap", "cymbal", "shaker", "open_hat", "tom", "cowbell"])
def test_one_sound_is_not_several_hits(name):
    """A clap may be two: several are more."""
    found = [len(onsets(synthesise(name, number), RATE_HZ)) for number in range(10)]
    assert max(found) <= 2
    assert found.count(1) >= 9


def test_silence_has_none():
    assert onsets(np.zeros(3), RATE_HZ) == []
    assert onsets(np.zeros(RATE_HZ), RATE_HZ) == []


def test_several_hits_are_named_and_with_split_each_is_a_sound(tmp_path):
    (tmp_path / "kick").mkdir()
    audio = np.concatenate([loop("kick", "kick", "kick", "kick", "kick", apart_s=0.4)] * 13)
    soundfile.write(tmp_path / "kick" / "take.wav", audio[: 10 * RATE_HZ], RATE_HZ)
    soundfile.write(tmp_path / "kick" / "minutes.wav", audio, RATE_HZ)
    soundfile.write(tmp_path / "kick" / "one.wav", synthesise("kick", 3), RATE_HZ)
    root, why = tmp_path.name, []
    for recording in FolderSource(tmp_path).recordings(Skipped()):
        try:
            recording.read()
        except Exception as error:  # noqa: BLE001
            why.append(str(error))
    assert why == ["longer than 30 s", "several hits (gan808 prepare --split takes each)"]
    hits = list(FolderSource(tmp_path, Selection(split=True)).recordings(Skipped()))
    assert len(hits) == 65 + 1 + len(onsets(audio[: 10 * RATE_HZ], RATE_HZ))
    assert hits[0].origin == f"{root}/kick/minutes.wav hit 1"
    assert {h.pack for h in hits} == {f"{root}/kick/{n}.wav" for n in ("minutes", "take", "one")}
    lengths = [len(h.read()[0]) for h in hits[:4]]
    assert lengths == pytest.approx([0.4 * RATE_HZ] * 4, abs=0.012 * RATE_HZ)
