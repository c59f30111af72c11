"""Factory sounds made again by the present renderer, in their place."""

import shutil

import numpy as np
import soundfile

from gan808.sound.kit.kit import FACTORY, load_kit
from gan808.sound.renderer import Renderer
from gan808.sound.sound import RENDER
from training.factory import make_again


def test_the_same_seeds_by_the_present_renderer(tiny_kit, tmp_path):
    """A kit of before, one of whose sounds is not as it would be now; what else it says stays."""
    folder = shutil.copytree(tiny_kit, tmp_path / "older")
    before = load_kit(folder)
    assert before.manifest.render == 1
    rate_hz, entry = before.geometry.sample_rate_hz, before.manifest.factory[0]
    soundfile.write(folder / FACTORY / entry.file, np.full(900, 0.25, np.float32), rate_hz)
    make_again(before)
    after = load_kit(folder)
    assert after.manifest.render == RENDER
    plain = {"render", "factory"}
    assert after.manifest.model_dump(exclude=plain) == before.manifest.model_dump(exclude=plain)
    renderer = Renderer(after, rate_hz)
    for sound in after.factory_sounds(rate_hz):
        made = renderer.render([sound.class_asked], [sound.point])[0]
        # 24 bits in the file, and levelled once more when it is read.
        np.testing.assert_allclose(sound.audio, made.audio, atol=1e-5)
        assert sound.class_heard == made.class_heard
