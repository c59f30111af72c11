"""Settings: what is accepted, what is refused and in which words, who overrides whom."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from gan808 import paths
from gan808.config import Settings, default_config_text, load_settings
from gan808.errors import ConfigError

NO_USER_FILE = Path("/nowhere/config.toml")


def written(folder: Path, text: str, name: str = "config.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_is_the_defaults_with_a_comment_for_each() -> None:
    text = (Path(__file__).resolve().parent.parent / "config.toml").read_text(encoding="utf-8")
    assert text == default_config_text()
    assert Settings.model_validate(tomllib.loads(text)) == Settings()
    settings = [line for line in text.splitlines() if " = " in line]
    assert len(settings) == sum(len(section) for section in Settings().model_dump().values())
    assert all("  # " in line or '" # ' in line for line in settings)
    assert max(map(len, text.splitlines())) <= 110


def test_the_command_line_beats_the_file_beats_the_users_file_beats_the_defaults(
    tmp_path: Path,
) -> None:
    user = written(tmp_path, '[kit]\nname = "u"\n[midi]\nchannel = 1\n[osc]\nport = 1', "u.toml")
    given = written(tmp_path, '[kit]\nname = "g"\n[midi]\nchannel = 2', "g.toml")
    overrides = {"kit": {"name": "c"}, "midi": {"channel": None}, "osc": {}}
    settings = load_settings(given, overrides, user_path=user)
    assert settings.kit.name == "c"
    assert settings.midi.channel == 2
    assert settings.osc.port == 1
    assert settings.pool == Settings().pool


def test_without_files_it_is_the_defaults() -> None:
    assert load_settings(user_path=NO_USER_FILE) == Settings()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[audio]\nblock_frames = 1.5",
         "audio.block_frames = 1.5 is not accepted; give a whole number from 0 to 8192"),
        ('[audio]\nblock_frames = "128"', "audio.block_frames = '128' is not accepted"),
        ("[midi]\nchannel = 17", "midi.channel = 17 is not accepted; give a whole number from 0"),
        ('[evolve]\nmode = "some"',
         "evolve.mode = 'some' is not accepted; give one of one, all, fresh"),
        ("[osc]\nenabled = 1", "osc.enabled = 1 is not accepted; give true or false"),
        ("[audio]\nmaster_volume = nan", "audio.master_volume = nan is not accepted"),
        ("[sequencer]\ntempo_bpm = 12.0", "sequencer.tempo_bpm = 12.0 is not accepted"),
        ("[kit]\nname = 3", "kit.name = 3 is not accepted; give text in quotes"),
        ("[audio]\nvolume = 1", "audio.volume is not a setting; [audio] has output,"),
        ("[sound]\nvolume = 1", "sound is not a setting; sections are kit, audio,"),
        ("osc = 3", "osc = 3 is not accepted; it is a section: [osc]"),
        ("[osc", "not valid TOML"),
    ],
)
def test_mistakes_are_named_with_file_key_value_and_what_is_accepted(
    tmp_path: Path, text: str, expected: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load_settings(path, user_path=NO_USER_FILE)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert expected in message
    assert "\n" not in message


def test_a_mistake_is_reported_under_the_file_that_has_it(tmp_path: Path) -> None:
    user = written(tmp_path, "[midi]\nchannel = 99", "u.toml")
    given = written(tmp_path, "[midi]\nchannel = 2", "g.toml")
    with pytest.raises(ConfigError, match=r"u\.toml: midi\.channel = 99"):
        load_settings(given, user_path=user)
    with pytest.raises(ConfigError, match=r"command line: midi\.channel = 77"):
        load_settings(given, {"midi": {"channel": 77}}, user_path=NO_USER_FILE)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", "a folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: object) -> None:
    path = tmp_path / "mine.toml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.mkdir()
    with pytest.raises(ConfigError, match=r"mine\.toml: "):
        load_settings(path, user_path=NO_USER_FILE)


def test_settings_cannot_be_changed_only_replaced() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.kit.name = "other"  # type: ignore[misc]
    changed = settings.replace({"renderer": {"seed": 7}})
    assert changed.renderer.seed == 7
    assert settings.renderer.seed == -1
    with pytest.raises(ConfigError, match=r"renderer\.seed = -2"):
        settings.replace({"renderer": {"seed": -2}})


def test_the_users_file_is_found_where_places_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = written(tmp_path, "[osc]\nport = 9999")
    monkeypatch.setattr(paths, "user_config_file", lambda: user)
    assert load_settings().osc.port == 9999
