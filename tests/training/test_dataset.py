"""Shards and batches."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from gan808.errors import TrainingError
from gan808.sound.spectral.spectrogram import Moments
from tests.training.tiny_recipe import TINY, write_drums
from training.corpus.folder import FolderSource
from training.corpus.recording import Credit
from training.corpus.synth import SynthSource, is_synthesised
from training.dataset import Dataset, PrepareOptions, is_variant, prepare
from training.drawing import chances
from training.moments import normalisation_of


def test_batches_are_even_over_classes_and_repeatable(dataset):
    first, again = (dataset.batch(64, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    images, labels = first
    assert images.shape == (64, *dataset.geometry.image_shape)
    assert np.abs(images).max() <= 1.0
    assert 20 <= (labels == 0).sum() <= 44


def test_classes_are_filled_with_pitched_copies_of_training_sounds_only(dataset):
    assert len(dataset) > 12
    copies = [origin for origin in dataset.origins if origin.endswith(" st")]
    assert len(copies) == len(dataset) - 12
    held = {o for o, kept in zip(dataset.origins, dataset.held_out, strict=True) if kept}
    assert not any(o.rsplit(" ", 2)[0] in held for o in copies)


def test_synthesised_voices_are_copied_only_where_there_are_no_recordings(drums, tmp_path):
    prepare([FolderSource(drums), SynthSource(3)], tmp_path / "both", TINY.geometry,
            PrepareOptions(variants_to=12))
    copied = {origin.rsplit(" ", 2)[0] for origin in Dataset(tmp_path / "both").origins
              if is_variant(origin)}
    by_class = {name: {is_synthesised(origin) for origin in copied if name in origin}
                for name in ("kick", "snare", "cowbell")}
    assert by_class == {"kick": {False}, "snare": {False}, "cowbell": {True}}


def test_recordings_and_their_copies_are_drawn_as_their_pack_is(drums, tmp_path):
    """A few kicks recorded and copied, more synthesised: drawn by what drawing.py says of the
    sounds there were, not of the images, of which most are copies; and every copy at some time."""
    prepare([FolderSource(drums), SynthSource(8)], tmp_path / "both", TINY.geometry,
            PrepareOptions(variants_to=30))
    dataset = Dataset(tmp_path / "both")
    kick = np.flatnonzero((dataset.labels == dataset.classes.index("kick")) & ~dataset.held_out)
    synthesised = np.asarray([is_synthesised(dataset.origins[i]) for i in kick])
    copies = np.asarray([is_variant(dataset.origins[i]) for i in kick])
    wanted = chances(dataset.collections[kick[~copies]])[~synthesised[~copies]].sum()
    assert (~synthesised).mean() > wanted + 0.2  # of images: what must not be drawn
    index = {dataset.image(i).tobytes(): one for one, i in enumerate(kick)}
    images, labels = dataset.batch(6000, np.random.default_rng(5))
    drawn = [index[image.tobytes()] for image in images[labels == dataset.classes.index("kick")]]
    assert np.mean(~synthesised[drawn]) == pytest.approx(wanted, abs=0.06)
    assert set(drawn) == set(range(len(kick)))


def test_a_name_of_several_lines_is_one_origin(drums, tmp_path):
    """A file's name may hold anything that Unicode takes for a line's end."""
    odd = tmp_path / "odd"
    shutil.copytree(drums, odd)
    sound = next(odd.rglob("*.wav"))
    sound.rename(sound.with_name("a\u2028b\x85c.wav"))
    prepare([FolderSource(odd)], tmp_path / "out", TINY.geometry, PrepareOptions(0))
    assert sum("a b c.wav" in origin for origin in Dataset(tmp_path / "out").origins) == 1


def test_origins_cut_short_are_damage(drums, tmp_path):
    prepare([FolderSource(drums)], tmp_path / "out", TINY.geometry, PrepareOptions(0))
    origins = tmp_path / "out" / "origins.txt"
    origins.write_text(origins.read_text().split("\n", 1)[1])
    with pytest.raises(TrainingError, match=r"damaged dataset \(11 origins of 12 images\)"):
        Dataset(tmp_path / "out")


def test_moments_standardise_the_training_images(dataset):
    """Clipping at three deviations takes a little off, no more."""
    images = np.stack([dataset.image(i) for i in np.flatnonzero(~dataset.held_out)]) * 3
    assert abs(images.mean()) < 0.2
    assert images.std() == pytest.approx(1.0, abs=0.15)


def test_bands_spaced_by_ear_are_scaled_by_their_range(drums, tmp_path):
    """Silence is -1 in every band, and nothing of the training images is clipped."""
    geometry = replace(TINY.geometry, n_bands=32, linear_to_hz=1000.0)
    prepare([FolderSource(drums)], tmp_path / "warped", geometry, PrepareOptions(0))
    dataset = Dataset(tmp_path / "warped")
    assert normalisation_of(dataset.moments, geometry) == "log_per_band_range"
    training = np.flatnonzero(~dataset.held_out)
    images = np.stack([dataset.image(i) for i in training])
    np.testing.assert_allclose(images.min(axis=(0, 2)), -1.0, atol=1e-3)
    assert np.all(images.max(axis=(0, 2)) < 1.0)
    assert np.all(images.max(axis=(0, 2)) > 0.6)
    logs = dataset.log_images(training)
    deviations = Moments(logs.mean(axis=(0, 2)), logs.std(axis=(0, 2)))
    assert normalisation_of(deviations, geometry) == "log_per_band_3_sigma"


def test_what_is_held_out_is_told_in_halves(tmp_path):
    """One half chooses the checkpoint, the other is only reported; neither is trained on."""
    root = write_drums(tmp_path / "drums", each=40)
    prepare([FolderSource(root)], tmp_path / "out", TINY.geometry, PrepareOptions(0))
    dataset = Dataset(tmp_path / "out")
    assert not (dataset.reported & ~dataset.held_out).any()
    for label in range(2):
        mine = dataset.labels == label
        n_reported, n_choosing = (int((mine & side).sum())
                                  for side in (dataset.reported, dataset.choosing))
        assert n_reported == n_choosing == 6


def test_the_packs_of_a_folder_reach_the_dataset(tmp_path):
    root = write_drums(tmp_path / "drums" / "train", each=4)
    for path in root.rglob("*.wav"):
        path.rename(path.with_name(f"{'ab'[int(path.stem) % 2]}__{path.name}"))
    (tmp_path / "drums" / "PROVENANCE.md").write_text(
        "# Sounds\n\n| pack | source and version | licence | credit |\n|---|---|---|---|\n"
        "| a (4) | Drums of A @1 | **CC0** | Ann |\n")
    prepare([FolderSource(root)], tmp_path / "out", TINY.geometry, PrepareOptions(0))
    dataset = Dataset(tmp_path / "out")
    assert set(dataset.collections) == {"train/a", "train/b"}
    assert dataset.credits == {"train/a": Credit("Drums of A @1", "CC0", "Ann")}


def test_a_folder_that_is_no_dataset_says_what_to_do(tmp_path):
    with pytest.raises(TrainingError, match="gan808 prepare"):
        Dataset(tmp_path)


def test_a_lost_shard_is_noticed(dataset, tmp_path):
    import shutil

    folder = shutil.copytree(dataset.folder, tmp_path / "copy")
    next(folder.glob("shard-*.npy")).unlink()
    with pytest.raises(TrainingError, match="shards are missing"):
        Dataset(folder)
