"""A kit of the tests as it is exported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gan808.app.offline.export import collect
from gan808.exchange.collecting import Amounts, Form, exported_kit
from gan808.exchange.exported_kit import ExportedKit
from gan808.instrument.state import KeptSlot, State
from gan808.sound.kit.kit import load_kit
from tests.exchange.players import RATE_HZ
from tests.tiny_kit import write_tiny_kit

ODD = 'Käse & "Bröt"/1'
SET_SO: dict[str, dict[str, float]] = {
    "BD": {"level": 0.8}, "SD": {"level": 0.5, "pan": -0.5}, "LT": {"tune": -5.5},
    "HT": {"tune": 7.0, "level": 0.6}, "CP": {"decay": 0.3, "tune": 3.0}, "RS": {"decay": 0.6},
    "CB": {"pan": 1.0, "level": 0.7}, "CY": {"decay": 0.5, "pan": 0.3}, "OH": {"level": 0.25},
    "CH": {"pan": -1.0, "decay": 0.0, "level": 0.7}, "MA": {"pan": 0.6, "level": 0.7},
    "CL": {"decay": 0.35},
}
WIDE = ("SD", "CB", "CY", "RS")
Various = tuple[ExportedKit, dict[int, KeptSlot]]


@pytest.fixture(scope="package")
def kit(tmp_path_factory: pytest.TempPathFactory) -> ExportedKit:
    folder = write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny")
    return replace(collect(str(folder), Amounts(2), Form(48_000, 16)), name=ODD)


@pytest.fixture(scope="package")
def various(tmp_path_factory: pytest.TempPathFactory) -> Various:
    """A kit whose slots are set in many ways, some of them wide; and those slots by their notes."""
    kit = load_kit(write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny"))
    sounds = {s.class_asked: s for s in kit.factory_sounds(RATE_HZ)}
    slots = {}
    for layout in kit.slots:
        sound = sounds[layout.class_name]
        if layout.code in WIDE:
            both = [sound.audio, sounds["clap"].audio]
            sound = replace(sound, audio=np.stack(both, axis=1))
        values = {"level": 1.0, **SET_SO.get(layout.code, {})}
        slots[layout.notes[0]] = KeptSlot(layout.code, sound.id, sound, values)
    state = State("tiny", slots=tuple(slots.values()))
    return exported_kit("x", kit, state, Form(RATE_HZ, 16)), slots
