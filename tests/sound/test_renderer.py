"""Seeds to sounds: identity, the critic's opinion, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from gan808.errors import RenderError
from gan808.sound.class_mix import ClassMix
from gan808.sound.kit.kit import Kit, load_kit
from gan808.sound.kit.manifest import Thresholds
from gan808.sound.latent import Point, parse_point
from gan808.sound.loudness import momentary_lkfs
from gan808.sound.renderer import Renderer, audio_fault, quantile_of
from gan808.sound.sound import BATCH, FAULTS
from tests.tiny_kit import write_tiny_kit


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return load_kit(write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny", confidence=0.5))


@pytest.fixture(scope="module")
def renderer(kit):
    return Renderer(kit, 48000, griffin_lim_rounds=4)


def test_kit_class_and_seed_name_a_sound_whatever_its_company(kit, renderer):
    alone = renderer.render(["snare"], [5])[0]
    n = BATCH + 3
    crowd = renderer.render(["snare"] * n, list(range(n)))[5]
    again = Renderer(kit, 48000, griffin_lim_rounds=4).render(["kick", "snare"], [1, 5])[1]
    assert alone.id == "tiny/snare/5"
    for other in (crowd, again):
        np.testing.assert_array_equal(other.audio, alone.audio)
        assert (other.class_heard, other.confidence) == (alone.class_heard, alone.confidence)


def test_a_point_by_name_is_the_same_sound_each_time(kit, renderer):
    name = "5+3@0.2~9@0.5"
    first = renderer.render(["snare"], [parse_point(name)])[0]
    crowd = ["kick", "snare", "snare"], [1, parse_point(name), 5]
    again = Renderer(kit, 48000, griffin_lim_rounds=4).render(*crowd)[1]
    assert (first.id, first.seed, first.point) == (f"tiny/snare/{name}", 5, parse_point(name))
    np.testing.assert_array_equal(again.audio, first.audio)
    assert first.audio.tobytes() != renderer.render(["snare"], [5])[0].audio.tobytes()


def test_the_ends_of_a_morph_sound_as_their_seeds(renderer):
    start, end = Point(5), Point(9)
    ends = renderer.render(["snare"] * 2, [start.towards(9, 0.0), start.towards(9, 1.0)])
    for morphed, plain in zip(ends, renderer.render(["snare"] * 2, [start, end]), strict=True):
        assert morphed.id == plain.id
        np.testing.assert_array_equal(morphed.audio, plain.audio)


MIXED = "snare+clap@0.4+tom@0.2"


@pytest.mark.parametrize("name", ["5", "5+t9", "5+a9", "5+t9+3@0.2", "5+t9+w@0.3"])
@pytest.mark.parametrize("class_name", ["snare", MIXED])
def test_mixes_and_parts_are_the_same_sound_in_any_company(kit, renderer, class_name, name):
    point = parse_point(name)
    alone = renderer.render([class_name], [point])[0]
    names = ["kick", "kick+snare@0.5", class_name, class_name, "tom+clap@0.1"] * 2
    points = [parse_point(each) for each in ("1", "5+t9", name, "7", "5+a3")] * 2
    again = Renderer(kit, 48000, griffin_lim_rounds=4).render(names, points)
    assert alone.id == f"tiny/{class_name}/{name}"
    for sound in (again[2], again[7]):
        np.testing.assert_array_equal(sound.audio, alone.audio)
        assert (sound.class_heard, sound.confidence, sound.realness) == (
            alone.class_heard, alone.confidence, alone.realness)
    if (class_name, name) != ("snare", "5"):
        plain = renderer.render(["snare"], [5])[0]
        assert alone.audio.tobytes() != plain.audio.tobytes()


def test_the_way_between_two_classes_leads_from_one_to_the_other(renderer):
    """Ends in their own sounds; images change in small steps, each less like where it began."""
    point, amounts = Point(5), np.linspace(0, 1, 9)
    mixes = [ClassMix("snare").towards("tom", amount) for amount in amounts]
    for end, name in ((0, "snare"), (-1, "tom")):
        sounds = renderer.render([str(mixes[end]), name], [point, point])
        assert sounds[0].id == sounds[1].id
        np.testing.assert_array_equal(sounds[0].audio, sounds[1].audio)
    images = renderer._drawn(mixes, [point] * 9)
    whole = np.abs(images[-1] - images[0]).mean()
    steps = np.abs(np.diff(images, axis=0)).mean(axis=(1, 2, 3))
    assert steps.max() < 0.4 * whole
    away = np.abs(images - images[0]).mean(axis=(1, 2, 3))
    assert (np.diff(away) > 0).all()


def test_a_tail_is_in_the_image_what_the_other_has_after_its_attack(renderer):
    snare = ClassMix("snare")
    here, other, tail, attack = renderer._drawn(
        [snare] * 4, [parse_point(name) for name in ("5", "9", "5+t9", "5+a9")])
    geometry = renderer.kit.geometry
    onset = geometry.lead_samples // geometry.hop
    for spliced, first, rest in ((tail, here, other), (attack, other, here)):
        np.testing.assert_array_equal(spliced[:, : onset + 1], first[:, : onset + 1])
        np.testing.assert_array_equal(spliced[:, -20:], rest[:, -20:])


def test_a_mix_is_judged_by_the_classes_in_it(renderer):
    """Confidence: that it is any of them. Realness, its threshold and loudness: by their shares."""
    shares = {"snare": 0.7, "tom": 0.3}
    sound = renderer.render(["snare+tom@0.3"], [5])[0]
    low = Renderer(renderer.kit, renderer.kit.geometry.sample_rate_hz, griffin_lim_rounds=4)
    audio = [low.render(["snare+tom@0.3"], [5])[0].audio]
    heard = {name: low.listen(audio, [low.label(name)]) for name in shares}
    probability = heard["snare"].probability[0]
    of_either = sum(probability[low.label(name)] for name in shares)
    assert sound.confidence == pytest.approx(of_either, abs=1e-4)
    assert sound.class_heard == low.kit.classes[probability.argmax()]
    assert sound.realness == pytest.approx(
        sum(share * heard[name].realness[0] for name, share in shares.items()), abs=1e-4)
    loudness = renderer.kit.manifest.loudness
    wanted = sum(share * loudness.target_lkfs(name) for name, share in shares.items())
    assert momentary_lkfs(sound.audio, 48000) == pytest.approx(wanted, abs=0.5)
    thresholds = Thresholds(confidence=0.0, realness={"tom": 0.5, "snare": 0.1})
    manifest = low.kit.manifest.model_copy(update={"thresholds": thresholds})
    strict = Renderer(Kit(low.kit.folder, manifest), 16000, griffin_lim_rounds=1)
    good = replace(good_sound(renderer), class_asked="snare+tom@0.3")
    assert strict.rejection(replace(good, realness=0.23)) is None
    assert strict.rejection(replace(good, realness=0.21)) == "unreal"


def test_seeds_and_classes_make_different_sounds(renderer):
    sounds = renderer.render(["snare", "snare", "kick"], [1, 2, 1])
    assert len({sound.audio.tobytes() for sound in sounds}) == 3


def test_the_rate_asked_for_changes_the_length_not_the_opinion(kit, renderer):
    at_48k = renderer.render(["tom"], [3])[0]
    at_96k = Renderer(kit, 96000, griffin_lim_rounds=4).render(["tom"], [3])[0]
    assert len(at_96k.audio) == pytest.approx(2 * len(at_48k.audio), abs=4)
    assert (at_96k.confidence, at_96k.realness) == (at_48k.confidence, at_48k.realness)


def test_what_is_heard_is_the_finished_audio(renderer):
    """The opinion is of the waveform that will be played: told again, it is the same."""
    sound = renderer.render(["tom"], [3])[0]
    label = renderer.kit.classes.index("tom")
    low = Renderer(renderer.kit, renderer.kit.geometry.sample_rate_hz, griffin_lim_rounds=4)
    heard = low.listen([low.render(["tom"], [3])[0].audio], [label])
    assert heard.probability[0].max() == pytest.approx(sound.confidence, abs=1e-4)
    assert heard.realness[0] == pytest.approx(sound.realness, abs=1e-4)


@pytest.mark.parametrize(("names", "seeds"), [(["gong"], [1]), (["kick"], [-1]), (["kick"], []),
                                             (["kick+gong@0.5"], [1]), (["kick+"], [1])])
def test_impossible_requests_are_refused(renderer, names, seeds):
    with pytest.raises(RenderError):
        renderer.render(names, seeds)


def good_sound(renderer):
    sound = renderer.render(["tom"], [3])[0]
    return replace(sound, confidence=0.9, realness=0.5)


def test_the_critics_opinion_decides(renderer):
    sound = good_sound(renderer)
    assert renderer.rejection(sound) is None
    assert renderer.rejection(replace(sound, confidence=0.4)) == "unsure"


def test_realness_is_a_quantile_and_orders_even_the_worst():
    quantiles = np.linspace(-2.0, 2.0, 65, dtype=np.float32)
    told = [quantile_of(score, quantiles) for score in (-9.0, -3.0, -2.0, 0.0, 2.0, 9.0)]
    assert told == sorted(told)
    assert 0 < told[0] < told[1] < told[2] < 0.01
    assert told[3] == pytest.approx(0.5, abs=0.01)
    assert told[4] == told[5] == 1.0


def test_a_class_may_ask_for_realness(kit):
    manifest = kit.manifest.model_copy(
        update={"thresholds": Thresholds(confidence=0.0, realness={"tom": 0.3})}
    )
    renderer = Renderer(Kit(kit.folder, manifest), 16000, griffin_lim_rounds=1)
    sound = good_sound(renderer)
    assert renderer.rejection(replace(sound, realness=0.2)) == "unreal"
    assert renderer.rejection(replace(sound, realness=0.4)) is None
    assert renderer.rejection(replace(sound, realness=0.0, class_asked="kick")) is None


def spoiled(kind):
    t = np.arange(4800)
    audio = (0.9 * np.sin(t / 10) * np.hanning(4800)).astype(np.float32)
    match kind:
        case "silent":
            audio *= 1e-3
        case "not_finite":
            audio[100] = np.inf
        case "clipped":
            audio = np.clip(1.5 * audio, -0.95, 0.95)
        case "click":
            audio[-1] = 0.3
    return audio


@pytest.mark.parametrize("kind", ["silent", "not_finite", "clipped", "click"])
def test_a_bad_waveform_is_refused_whatever_the_critic_says(renderer, kind):
    sound = replace(good_sound(renderer), audio=spoiled(kind))
    assert renderer.rejection(sound) == kind
    assert kind in FAULTS


def test_a_good_waveform_has_no_fault():
    assert audio_fault(spoiled("none")) is None


@pytest.mark.parametrize("rate_hz", [44100, 96000, 192000])
def test_the_round_top_of_a_low_kick_is_not_clipping(rate_hz):
    t = np.arange(rate_hz // 2) / rate_hz
    kick = 0.9 * np.sin(2 * np.pi * 30 * t) * np.hanning(len(t))
    assert audio_fault(kick.astype(np.float32)) is None


def test_the_number_of_threads_changes_no_bit():
    """Of the networks and of NumPy's matrix products, in the shipped kit: the tiny kit's are too
    small to be shared out."""
    kit = load_kit(Path(__file__).parents[2] / "kits" / "gan808")
    sounds = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            renderer = Renderer(kit, 48000, threads=threads, griffin_lim_rounds=2)
            sounds.append(renderer.render(["snare", "cymbal"], [5, 6]))
    for one, two in zip(*sounds, strict=True):
        np.testing.assert_array_equal(two.audio, one.audio)
        assert (two.confidence, two.realness) == (one.confidence, one.realness)
