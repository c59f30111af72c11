"""From a recording to the nearest sound of a kit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from gan808.errors import RenderError
from gan808.sound.kit.kit import Kit, load_kit
from gan808.sound.latent import Given, Point, latent_of
from gan808.sound.match import SHELL, Matcher, _Adam, _inside, read_target
from gan808.sound.network.spec import HOUSE_SPEC, PAPER_SPEC, latent_from_seed
from gan808.sound.renderer import Renderer

HIDDEN = 1000  # a seed the search does not try


@pytest.fixture(scope="module")
def kit(tiny_kit: Path) -> Kit:
    return load_kit(tiny_kit)


@pytest.fixture(scope="module")
def renderer(kit: Kit) -> Renderer:
    return Renderer(kit, 48000, griffin_lim_rounds=8)


def recorded(renderer: Renderer, path: Path, class_name: str, seed: int) -> np.ndarray:
    """A sound of the kit as if from a microphone: stereo, softer, late."""
    sound = renderer.render([class_name], [seed])[0]
    audio = np.concatenate([np.zeros(9000, np.float32), 0.1 * sound.audio])
    soundfile.write(path, np.stack([audio, audio], axis=1), sound.sample_rate_hz, "PCM_24")
    return read_target(path, renderer.kit.geometry)


def test_a_sound_among_the_seeds_is_found(renderer: Renderer, tmp_path: Path) -> None:
    target = recorded(renderer, tmp_path / "hit.wav", "tom", 13)
    matcher = Matcher(renderer, target)
    found = matcher.match(["snare", "tom"], seeds=16, steps=1)
    assert found.nearest.id == "tiny/tom/13"
    others = [matcher.distance_db(s) for s in renderer.render(["tom"] * 8, range(30, 38))]
    assert found.nearest_db < 0.5 * min(others)


def test_refinement_comes_nearer_than_every_seed_and_has_an_id(
    kit: Kit, renderer: Renderer, tmp_path: Path
) -> None:
    target = recorded(renderer, tmp_path / "hit.wav", "tom", HIDDEN)
    told: list[float] = []
    found = Matcher(renderer, target).match(["tom"], seeds=24, steps=60, progress=told.append)
    # Random weights draw images that no sound has, which leaves little to gain (9% here; trained
    # networks come to two thirds of the distance in as many steps).
    assert found.refined_db < 0.95 * found.nearest_db
    assert told == sorted(told)
    assert told[-1] == 1.0
    point = found.refined.point
    assert isinstance(point.steps[0], Given)
    again = Renderer(kit, 48000, griffin_lim_rounds=8).render(["tom"], [point])[0]
    assert again.id == found.refined.id
    np.testing.assert_array_equal(again.audio, found.refined.audio)


def test_loudness_does_not_count(renderer: Renderer, tmp_path: Path) -> None:
    matcher = Matcher(renderer, recorded(renderer, tmp_path / "hit.wav", "tom", HIDDEN))
    images = renderer.images_of([renderer.render(["kick"], [1])[0].audio])
    magnitudes = matcher._magnitudes(images)
    np.testing.assert_allclose(
        matcher._levels(magnitudes), matcher._levels(0.2 * magnitudes), atol=1e-4)


def test_the_recording_begins_at_its_onset(kit: Kit, tmp_path: Path) -> None:
    rate_hz = kit.geometry.sample_rate_hz
    hit = np.exp(-np.arange(2000) / 300) * np.sin(np.arange(2000) + np.pi / 2)
    audio = 0.25 * np.concatenate([np.zeros(700), hit])
    soundfile.write(tmp_path / "hit.wav", audio, rate_hz, "FLOAT")
    target = read_target(tmp_path / "hit.wav", kit.geometry)
    assert np.abs(target).max() == pytest.approx(1.0)
    assert int(np.argmax(np.abs(target) > 0.5)) == int(0.0004 * rate_hz)
    assert len(target) <= kit.geometry.n_samples


@pytest.mark.parametrize(("content", "why"), [
    (np.zeros(1000), "is silent"), (np.zeros(0), "empty"),
    (np.full(100, np.nan), "not finite"), (None, "cannot be read as audio"),
    (np.array([0.5, -0.1]), "is over in 0.000"),
])
def test_what_has_no_sound_in_it_is_refused(
    kit: Kit, tmp_path: Path, content: np.ndarray | None, why: str
) -> None:
    path = tmp_path / "hit.wav"
    if content is None:
        path.write_text("no audio")
    else:
        soundfile.write(path, content, 16000, "FLOAT")
    with pytest.raises(RenderError, match=why) as caught:
        read_target(path, kit.geometry)
    assert "\n" not in str(caught.value)
    for gone in (tmp_path / "gone.wav", tmp_path):
        with pytest.raises(RenderError, match="is no file"):
            read_target(gone, kit.geometry)


def test_the_slope_is_that_of_the_distance(renderer: Renderer, tmp_path: Path) -> None:
    """By an image and, through the generator, by a latent, each against small steps along a random
    way. A rectifier or a sign that turns on the way leaves a little between the two."""
    matcher = Matcher(renderer, recorded(renderer, tmp_path / "hit.wav", "tom", HIDDEN))
    random = np.random.default_rng(1)
    latents = np.stack([latent_from_seed(s, renderer.kit.manifest.network) for s in range(8)])
    labels = np.full(8, renderer.label("tom"))
    images = renderer.networks.generate(latents, labels)
    offset = random.normal(0.0, 0.1, images.shape).astype(np.float32)

    def risen(errors, at, way, step):
        return (errors(at + step * way) - errors(at - step * way)) / (2 * step)

    def image_errors(at):
        return matcher._errors(at.astype(np.float64), offset)

    way = random.standard_normal(images.shape)
    errors, slope = matcher._image_slope(images, offset)
    np.testing.assert_allclose(errors, image_errors(images), rtol=1e-5)
    found = risen(image_errors, images, way, 1e-4)
    assert np.linalg.norm((slope * way).sum(axis=(1, 2, 3)) - found) < 0.05 * np.linalg.norm(found)

    def latent_errors(at):
        return image_errors(renderer.networks.generate(at.astype(np.float32), labels))

    way = random.standard_normal(latents.shape)
    found = risen(latent_errors, latents, way, 1e-3)
    _, slope = matcher._slope(latents, labels, offset)
    assert np.linalg.norm((slope * way).sum(axis=1) - found) < 0.05 * np.linalg.norm(found)


@pytest.mark.parametrize("spec", [HOUSE_SPEC, PAPER_SPEC], ids=["normal", "uniform"])
def test_latents_stay_where_the_generator_was_trained(spec) -> None:
    there = np.stack([latent_from_seed(seed, spec) for seed in range(4)])
    far = _inside(3.0 * there, spec)
    if spec is PAPER_SPEC:
        assert np.abs(far).max() == 1.0
        np.testing.assert_array_equal(_inside(there, spec), there)
    else:
        length = np.linalg.norm(far, axis=1) / np.sqrt(spec.latent_size)
        np.testing.assert_allclose(length, SHELL[1], rtol=1e-5)
        near = latent_of(Point(1), spec)[None]
        np.testing.assert_allclose(_inside(near, spec), near, rtol=0.02)


def test_descent_finds_the_bottom_of_a_bowl() -> None:
    here, descent = np.array([1.0, -0.5]), _Adam((2,))
    for _ in range(400):
        here = here - descent.step(2 * here * [1.0, 25.0])
    assert np.abs(here).max() < 0.02
