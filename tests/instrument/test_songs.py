"""/seq/song: patterns and scenes by themselves, on their bars; the count before a start."""

from __future__ import annotations

from gan808.errors import ConfigError
from gan808.instrument.events import ParameterChanged
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.song import Part, Song
from tests.instrument.rig import Rig

BAR, BEAT = 96_000, 24_000  # frames at 120 BPM and 48 kHz
ONE = Pattern("one", rows={"BD": (1.0,) + (0.0,) * 15})
TWO = Pattern("two", rows={"SD": (1.0,) + (0.0,) * 15})


def rig_with(song: Song, **more) -> Rig:
    rig = Rig(pattern=ONE, **more)
    rig.library.patterns |= {"one": ONE, "two": TWO}
    rig.library.songs["s"] = song
    return rig


def bars(rig: Rig) -> list[tuple[int, str]]:
    return [(hit.frame // BAR, rig.machine.codes[hit.slot]) for hit in rig.engine.hits]


def parts(rig: Rig) -> list[tuple]:
    return [e.values for e in rig.of_type(ParameterChanged) if e.address == "/seq/part"]


def test_patterns_follow_one_another_at_their_bars() -> None:
    rig = rig_with(Song(name="s", part=(Part(pattern="one", bars=2), Part(pattern="two", bars=1))))
    assert rig.ask("/seq/song") == ("off",)
    assert rig.ask("/seq/song", "s") == ("s",)  # in the first bar: it begins with the second
    rig.run(7 * BAR)
    assert bars(rig)[:7] == [(0, "BD"), (1, "BD"), (2, "BD"), (3, "SD"), (4, "BD"), (5, "BD"),
                             (6, "SD")]
    assert parts(rig) == [(1, 2), (2, 2), (1, 2), (2, 2), (1, 2)]
    assert rig.ask("/seq/part") == (1, 2)
    assert rig.ask("/seq/song", "off") == ("off",)
    rig.run(3 * BAR)
    assert {code for bar, code in bars(rig)[8:]} == {"BD"}


def test_a_song_that_does_not_repeat_stops_at_its_last_bar_line() -> None:
    rig = rig_with(Song(name="s", repeat=False, part=(Part(pattern="two", bars=2),)))
    rig.run(BEAT)
    rig.ask("/seq/song", "s")
    rig.run(6 * BAR)
    assert bars(rig) == [(0, "BD"), (1, "SD"), (2, "SD")]
    assert not rig.machine.sequencer.playing
    assert rig.ask("/seq/song") == ("off",)


def test_a_scene_comes_with_its_bar_and_a_part_s_pattern_goes_before_its_own() -> None:
    rig = rig_with(Song(name="s", part=(Part(pattern="one", bars=1),
                                        Part(scene="loud", pattern="two", bars=1))), stock=4)
    rig.ask("/slot/SD/level", 0.25)
    rig.ask("/scene/save", "loud")
    rig.ask("/slot/SD/level", 0.75)
    rig.ask("/seq/song", "s")
    rig.run(2 * BAR)
    assert rig.ask("/slot/SD/level") == (0.25,)
    assert bars(rig)[:3] == [(0, "BD"), (1, "BD"), (2, "SD")]


def test_what_a_song_lacks_is_told_before_it_begins() -> None:
    rig = rig_with(Song(name="s", part=(Part(scene="nowhere"),)))
    assert rig.refusal("/seq/song", "s") == "song s: there is no scene nowhere"
    rig.library.songs["s"] = Song(name="s", part=(Part(pattern="nowhere"),))
    assert "nowhere" in rig.refusal("/seq/song", "s")
    assert isinstance(rig.ask("/seq/song", "t"), ConfigError)
    assert rig.ask("/seq/song") == ("off",)


def test_four_beats_are_counted_before_the_first_step() -> None:
    rig = rig_with(Song(name="s", part=(Part(pattern="one"),)), sequencer={"playing": False})
    assert rig.ask("/seq/countin", 4) == (4,)
    rig.send("/seq/play")
    start = rig.engine.frame
    rig.run(6 * BEAT)
    hits = [((hit.frame - start) / BEAT, rig.machine.codes[hit.slot]) for hit in rig.engine.hits]
    assert hits == [(0, "RS"), (1, "RS"), (2, "RS"), (3, "RS"), (4, "BD")]


def test_a_stop_while_it_counts_is_silent_at_once() -> None:
    rig = rig_with(Song(name="s", part=(Part(pattern="one"),)), sequencer={"playing": False})
    rig.ask("/seq/countin", 4)
    rig.send("/seq/play")
    rig.run(BEAT + 100)
    rig.ask("/seq/stop")
    rig.run(6 * BEAT)
    assert len(rig.engine.hits) == 2
