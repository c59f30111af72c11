"""The networks that play: equal to the bit in any company, and their gradient is the gradient."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gan808.errors import KitError
from gan808.sound.kit.kit import WEIGHTS, Kit
from gan808.sound.network.session import Networks
from gan808.sound.network.spec import latent_from_seed
from tests.sound.network.specs import SPECS, kit_of, networks_of


def asked(networks: Networks, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Latents of the first n seeds, and classes in turn."""
    spec = networks.spec
    return np.stack([latent_from_seed(seed, spec) for seed in range(n)]), np.arange(n) % 12


@pytest.fixture(params=SPECS, ids=lambda name: name.replace(" ", "-"))
def networks(request: pytest.FixtureRequest, tiny_kit: Path, tmp_path: Path) -> Networks:
    return networks_of(tiny_kit, tmp_path, SPECS[request.param])


def test_place_company_and_number_change_no_bit(networks: Networks) -> None:
    latents, labels = asked(networks, 9)
    images = networks.generate(latents, labels)
    opinions = networks.listen(images)
    assert images.dtype == np.float32
    assert len({image.tobytes() for image in images}) == 9
    order = np.random.default_rng(1).permutation(9)
    for part in (order, order[:7], order[4:5]):
        np.testing.assert_array_equal(networks.generate(latents[part], labels[part]), images[part])
        for again, first in zip(networks.listen(images[part]), opinions, strict=True):
            np.testing.assert_array_equal(again, first[part])


def test_a_whole_class_told_as_a_mix_changes_no_bit_and_a_mix_lies_between(
    networks: Networks
) -> None:
    latents, labels = asked(networks, 4)
    images = networks.generate(latents, labels)
    whole = networks.conditions(np.eye(12)[labels])
    np.testing.assert_array_equal(networks.generate(latents, whole), images)
    half = (np.eye(12)[labels] + np.eye(12)[labels + 1]) / 2
    told = networks.conditions(half)
    np.testing.assert_array_equal(networks.conditions(half[2:3]), told[2:3])
    np.testing.assert_allclose(
        told, (whole + networks.conditions(np.eye(12)[labels + 1])) / 2, atol=1e-6)
    between = networks.generate(latents, told)
    assert (np.abs(between - images).mean(axis=(1, 2, 3)) > 0).all()


def test_the_number_of_threads_changes_no_bit(tiny_kit: Path, tmp_path: Path) -> None:
    kit = kit_of(tiny_kit, tmp_path, SPECS["paper-like"])
    one, three = Networks(kit, 1), Networks(kit, 3)
    latents, labels = asked(one, 3)
    images = one.generate(latents, labels)
    np.testing.assert_array_equal(three.generate(latents, labels), images)
    for a, b in zip(one.listen(images), three.listen(images), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_slope_is_that_of_small_steps(networks: Networks) -> None:
    """Along a random direction. Rectifiers that turn on the way leave up to a tenth between the
    two; training's tests compare with Keras's own gradient."""
    latents, labels = asked(networks, 9)
    random = np.random.default_rng(2)
    way = random.standard_normal(latents.shape).astype(np.float32)
    images = networks.generate(latents, labels)
    weight = random.standard_normal(images.shape).astype(np.float32)
    step = np.float32(1e-3)
    ahead, behind = (networks.generate(latents + s * way, labels).astype(np.float64)
                     for s in (step, -step))
    found = ((ahead - behind) * weight).sum(axis=(1, 2, 3)) / (2 * step)
    told = (networks.latent_slopes(latents, labels, weight) * way).sum(axis=1)
    assert np.linalg.norm(told - found) < 0.2 * np.linalg.norm(found)


def test_numbers_that_do_not_fit_are_told_in_one_line(tiny_kit: Path, tmp_path: Path) -> None:
    kit = kit_of(tiny_kit, tmp_path, SPECS["house-like"])
    weights = load_file(tmp_path / WEIGHTS)
    for change, why in (
        ({"generator.up1.bias": None}, "generator.up1.bias is missing"),
        ({"critic.down1.kernel": np.zeros((4, 4, 4, 5), np.float16)}, "kit.toml asks for"),
        ({"generator.in.bias": np.full_like(weights["generator.in.bias"], np.inf)}, "not finite"),
    ):
        changed = {k: v for k, v in {**weights, **change}.items() if v is not None}
        save_file(changed, tmp_path / WEIGHTS)
        with pytest.raises(KitError, match=why) as caught:
            Networks(kit)
        assert "\n" not in str(caught.value)


def test_a_network_too_large_to_play_is_refused_before_it_is_read(
    tiny_kit: Path, tmp_path: Path
) -> None:
    kit = kit_of(tiny_kit, tmp_path, SPECS["house-like"])
    huge = replace(kit.manifest.network, width=512, multipliers=(1, 1, 64, 64), kernel=15)
    manifest = kit.manifest.model_copy(update={"network": huge})
    with pytest.raises(KitError, match="more than 2 GiB"):
        Networks(Kit(kit.folder, manifest))


def test_nobody_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    """ONNX Runtime's own packages keep a number for the machine in the user's cache and send what
    runs to its maker, unless told not to (or on CI) before they are loaded."""
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "ORT_DISABLE_TELEMETRY")
                   and not k.startswith(("XDG_", "TF_BUILD", "GITHUB_", "PYTEST"))}
    code = "import os, gan808.sound.network.session; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True,
                          env={**environment, "HOME": str(tmp_path)}).stdout
    assert told.strip() == "1"
    assert list(tmp_path.rglob("*")) == []
