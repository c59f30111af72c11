"""The state as a value: there and back through JSON, and what is refused on the way."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from gan808.errors import ConfigError
from gan808.instrument.state import (
    KEPT_HISTORY,
    KEPT_VALUES,
    KeptPattern,
    KeptSlot,
    State,
    document,
    slot_documents,
    slots_of,
    state_of,
)
from tests.fakes import fake_sound
from tests.instrument.rig import PATTERN

KICKS = [fake_sound("kick", seed) for seed in range(3)]
BY_ID = {sound.id: sound for sound in KICKS}
STATE = State(
    kit="fake",
    values={"/volume": 0.5, "/evolve": 4.0, "/evolve/quantise": "beat", "/evolve/mode": "all",
            "/seq/tempo": 101.0, "/seq/swing": 0.25, "/seq/sync": "auto", "/seq/vary": 0.5,
            "/seq/fills": 8, "/seq/density": -0.25},
    pattern=KeptPattern(PATTERN.to_toml(), "house", edited=True),
    slots=(
        KeptSlot("BD", KICKS[0].id, KICKS[0], {"level": 0.3, "tune": -5.0, "lock": 1, "choke": 2},
                 (KICKS[1], KICKS[2])),
        KeptSlot("SD", "", None, {}),
    ),
)


def there(state: State = STATE) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """As a file would have it."""
    pair = document(state), slot_documents(state.slots, lambda sound: sound.id)
    values, slots = json.loads(json.dumps(pair))
    return values, slots


def test_a_state_comes_back_as_it_was() -> None:
    """Every field, the types of the values included; every value that is kept has a row."""
    assert set(STATE.values) == set(KEPT_VALUES)
    values, slots = there()
    back = state_of(values, slots_of(slots, BY_ID.get))
    assert back == STATE
    assert [type(value) for value in back.values.values()] == [
        type(value) for value in STATE.values.values()]
    assert isinstance(back.slots[0].values["lock"], int)


def test_a_sound_that_is_missing_leaves_its_id() -> None:
    _, slots = there()
    back = slots_of(slots, lambda name: None)
    assert (back[0].sound, back[0].sound_id) == (None, "fake/kick/0")
    assert back[0].history == ()
    assert back[0].values == STATE.slots[0].values


def test_history_is_bounded_and_can_be_left() -> None:
    _, slots = there()
    slots[0]["history"] *= 10
    assert len(slots_of(slots, BY_ID.get)[0].history) == KEPT_HISTORY
    assert slots_of(slots, BY_ID.get, history=False)[0].history == ()


def test_what_another_version_knows_is_passed_over() -> None:
    values, slots = there()
    values["values"]["/seq/groove"] = "mpc"
    slots[0]["values"]["reverb"] = 0.5
    assert state_of(values, slots_of(slots, BY_ID.get)) == STATE


def test_a_value_a_hair_beyond_its_range_is_brought_back_into_it() -> None:
    """An OSC client's 32-bit 1.0000001 was accepted; the settings would refuse it."""
    values, _ = there()
    values["values"]["/volume"] = 1.0000005
    assert state_of(values).values["/volume"] == 1.0


DAMAGE: list[Callable[[dict[str, Any], list[Any]], object]] = [
    lambda v, s: v.pop("kit"),
    lambda v, s: v.update(format=2),
    lambda v, s: v.update(kit=7),
    lambda v, s: v.update(kit="k" * 5000),
    lambda v, s: v.update(values=[]),
    lambda v, s: v["values"].update({"/volume": 2.0}),
    lambda v, s: v["values"].update({"/volume": float("nan")}),
    lambda v, s: v["values"].update({"/evolve/mode": "some"}),
    lambda v, s: v.update(pattern="house"),
    lambda v, s: v.update(pattern={"text": "name = "}),
    lambda v, s: v["pattern"].update(text="[steps]"),
    lambda v, s: v["pattern"].update(text="#" * (1 << 19)),
    lambda v, s: v["pattern"].update(source=3),
    lambda v, s: s[0].pop("code"),
    lambda v, s: s[0].update(sound=3),
    lambda v, s: s[0].update(values=None),
    lambda v, s: s[0].update(history=3),
    lambda v, s: s[0]["values"].update(level=-1.0),
    lambda v, s: s[0]["values"].update(lock=0.5),
    lambda v, s: s.__setitem__(0, "BD"),
    lambda v, s: s.extend(s * 8),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_refused_in_one_line(damage: Callable[..., object]) -> None:
    values, slots = copy.deepcopy(there())
    damage(values, slots)
    with pytest.raises(ConfigError) as caught:
        state_of(values, slots_of(slots, BY_ID.get))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [None, 3, "x", [], {}, [[]]])
def test_what_is_no_state_at_all_is_refused(value: object) -> None:
    with pytest.raises(ConfigError):
        state_of(value)
    if value not in ([], {}):
        with pytest.raises(ConfigError):
            slots_of(value, BY_ID.get)
