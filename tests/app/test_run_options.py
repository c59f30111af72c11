"""The options of `run`: each is declared once, and reaches the settings that it names."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from gan808.app.run_options import RunOptions, declared
from gan808.cli import main
from gan808.config import Settings, given_settings

VALUES: dict[str, tuple[Any, str, Any]] = {
    "kit": ("acoustic", "kit.name", "acoustic"),
    "pattern": ("off", "sequencer.pattern", "off"),
    "song": ("night", "sequencer.song", "night"),
    "tempo": (99.0, "sequencer.tempo_bpm", 99.0),
    "evolve": (3.0, "evolve.swaps_per_bar", 3.0),
    "output": ("null", "audio.output", "null"),
    "outputs": ("slots", "audio.outputs", "slots"),
    "midi": ("virtual", "midi.port", "virtual"),
    "osc": (":9000", "osc.port", 9000),
    "seed": (5, "renderer.seed", 5),
}


def test_every_option_that_settings_hold_is_tried_here() -> None:
    assert set(VALUES) == {
        name for name, (_, option) in declared(RunOptions).items() if option.settings}


@pytest.mark.parametrize("name", VALUES)
def test_an_option_changes_its_setting_and_nothing_else(name: str) -> None:
    value, setting, there = VALUES[name]
    overrides = RunOptions(**{name: value}).overrides
    settings = Settings().replace(overrides)
    section, key = setting.split(".")
    assert getattr(getattr(settings, section), key) == there
    assert setting in given_settings(settings, overrides)
    back = settings.replace({section: {key: getattr(getattr(Settings(), section), key)}})
    assert back == Settings()


def test_options_that_are_not_given_say_nothing() -> None:
    overrides = RunOptions().overrides
    assert Settings().replace(overrides) == Settings()
    assert given_settings(Settings(), overrides) == frozenset()


def test_the_command_line_takes_each_by_its_name_and_its_short_one() -> None:
    command: Any = typer.main.get_command(main.app)
    run = command.commands["run"]
    known = {name for parameter in run.params for name in parameter.opts}
    assert {f"--{name}" for name in declared(RunOptions)} | {"-q"} <= known
    parsed = run.make_context("run", ["-q", "--tempo", "90", "--fast", "--config", "my.toml"])
    options = RunOptions(**parsed.params)
    assert (options.quiet, options.tempo, options.fast, str(options.config), options.kit) == \
        (True, 90.0, True, "my.toml", None)
