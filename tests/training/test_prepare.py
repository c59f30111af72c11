"""A preparation that is killed, meets a full disk or meets many sounds."""

import itertools
import weakref

import numpy as np
import pytest

from gan808.errors import CorpusError, TrainingError
from gan808.ownership import MARK
from tests.tiny_kit import GEOMETRY
from training import dataset as dataset_module
from training.corpus.recording import Recording, Skipped
from training.dataset import Dataset, PrepareOptions, prepare

OPTIONS = PrepareOptions(variants_to=8)


class Killed(BaseException):
    """Stands for the end of the process: no handler of ours sees it."""


class Tones:
    """So many short tones of two classes; `dies_at` ends the process at that one."""

    def __init__(self, n: int, dies_at: int | None = None) -> None:
        self.n, self.dies_at = n, dies_at
        self.reads = 0

    def recordings(self, skipped):
        for i in range(self.n):
            yield Recording(lambda i=i: self.read(i), ("kick", "snare")[i % 2], f"tones/{i}",
                            f"tones/{i}")

    def credits(self):
        return {}

    def read(self, i):
        self.reads += 1
        if i == self.dies_at:
            raise Killed
        if i == 3:
            raise CorpusError("corrupt")
        t = np.arange(900) / 16000
        return (np.sin(2 * np.pi * (200 + 40 * i) * t) * np.exp(-60 * t)).astype(np.float32), 16000


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())
            if path.name != MARK}  # of its own id


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(dataset_module, "SHARD_ITEMS", 4)


@pytest.mark.usefixtures("small_shards")
def test_killed_while_reading_it_goes_on_and_ends_the_same(tmp_path):
    whole = prepare([Tones(20)], tmp_path / "whole", GEOMETRY, OPTIONS)
    with pytest.raises(Killed):
        prepare([Tones(20, dies_at=13)], tmp_path / "out", GEOMETRY, OPTIONS)
    assert not (tmp_path / "out").exists()
    index = tmp_path / "out.partial" / "index.jsonl"
    done = len(index.read_text().splitlines())
    assert done > 4
    index.write_text(index.read_text() + '{"samples": 90')  # a line cut short by the kill
    again = Tones(20)
    skipped = prepare([again], tmp_path / "out", GEOMETRY, OPTIONS)
    assert again.reads == 20 - done
    assert content(tmp_path / "out") == content(tmp_path / "whole")
    assert skipped.entries == whole.entries == [("tones/3", "corrupt")]


@pytest.mark.usefixtures("small_shards")
def test_killed_while_drawing_it_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    prepare([Tones(20)], tmp_path / "whole", GEOMETRY, OPTIONS)
    images = itertools.count()
    real = dataset_module.log_image

    def mortal(*given):
        if next(images) == 10:
            raise Killed
        return real(*given)

    monkeypatch.setattr(dataset_module, "log_image", mortal)
    with pytest.raises(Killed):
        prepare([Tones(20)], tmp_path / "out", GEOMETRY, OPTIONS)
    made = len(list((tmp_path / "out.partial").glob("shard-*.npy")))
    assert made >= 1
    monkeypatch.setattr(dataset_module, "log_image", real)
    again = Tones(20)
    prepare([again], tmp_path / "out", GEOMETRY, OPTIONS)
    assert again.reads == 0
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_what_was_begun_of_other_sounds_is_not_gone_on_with(tmp_path):
    with pytest.raises(Killed):
        prepare([Tones(20, dies_at=13)], tmp_path / "out", GEOMETRY, OPTIONS, mark="a")
    again = Tones(10)
    prepare([again], tmp_path / "out", GEOMETRY, OPTIONS, mark="b")
    assert again.reads == 10
    assert {origin.split()[0] for origin in Dataset(tmp_path / "out").origins} == {
        f"tones/{i}" for i in range(10) if i != 3}  # that one is corrupt


def test_a_full_disk_is_one_line_and_what_is_there_is_kept(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        with pytest.raises(TrainingError, match="No space left on device.*goes on") as error:
            prepare([Tones(6)], tmp_path / "out", GEOMETRY, OPTIONS)
    assert "\n" not in str(error.value)
    again = Tones(6)
    prepare([again], tmp_path / "out", GEOMETRY, OPTIONS)
    assert again.reads == 0


def test_how_far_it_is_is_told(tmp_path):
    told = []
    prepare([Tones(6)], tmp_path / "out", GEOMETRY, OPTIONS, lambda *now: told.append(now))
    assert told[0] == (None, "1 sounds read")
    assert told[-1] == (1.0, f"{len(Dataset(tmp_path / 'out'))} of {len(told) - 6} images")


def test_no_more_than_a_few_sounds_are_in_memory(tmp_path):
    """Of a stream of which every sound can be let go of, some dozens are ever alive."""
    handed_out = []
    most = 0

    class Many(Tones):
        def read(self, i):
            nonlocal most
            audio, rate_hz = super().read(10 + i % 40)
            audio = audio + 0.3 * super().read(60 + 8 * (i // 40))[0]  # no two are the same
            handed_out.append(weakref.ref(audio))
            most = max(most, sum(there() is not None for there in list(handed_out)))
            return audio, rate_hz

    prepare([Many(400)], tmp_path / "out", GEOMETRY, PrepareOptions(variants_to=0))
    assert len(Dataset(tmp_path / "out")) == 400
    assert most < 200


def test_skipped_counts_by_reason():
    skipped = Skipped([("a", "empty"), ("b", "silent"), ("c", "silent")])
    assert skipped.reasons() == {"silent": 2, "empty": 1}
