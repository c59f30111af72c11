"""Where things are: the checkout's own files, the user's folders, nothing made by asking."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gan808 import paths

CHECKOUT = Path(__file__).resolve().parent.parent


def test_a_checkout_uses_its_own_kits_and_config() -> None:
    assert paths.shipped_folder() == CHECKOUT
    assert paths.shipped_config_file() == CHECKOUT / "config.toml"
    assert paths.kit_folders() == (paths.user_kits_folder(), CHECKOUT / "kits")


def test_a_wheel_uses_the_data_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "_data").mkdir()
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path)
    assert paths.shipped_folder() == tmp_path / "_data"
    assert paths.kit_folders()[1] == tmp_path / "_data" / "kits"


@pytest.mark.skipif(sys.platform != "linux", reason="XDG folders are Linux's")
def test_the_users_folders_follow_the_system_and_are_not_made(tmp_path: Path) -> None:
    names = ("user_config_file", "user_kits_folder", "user_patterns_folder", "favourites_folder",
             "exports_folder", "training_folder", "scenes_folder")
    code = (
        "from gan808 import places\n"
        f"for name in {names!r}: print(getattr(paths, name)())\n"
        "print(paths.pool_folder('mine'))\n"
        "print(paths.state_folder())"
    )
    env = {**os.environ, "XDG_CONFIG_HOME": f"{tmp_path}/c", "XDG_DATA_HOME": f"{tmp_path}/d",
           "XDG_CACHE_HOME": f"{tmp_path}/k", "XDG_STATE_HOME": f"{tmp_path}/s",
           "PYTHONPATH": str(CHECKOUT)}
    shown = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    config, *data, pool, state = shown.stdout.split()
    assert config == f"{tmp_path}/c/gan808/config.toml"
    assert all(path.startswith(f"{tmp_path}/d/gan808/") for path in data)
    assert pool == f"{tmp_path}/k/gan808/pool/mine"
    assert state == f"{tmp_path}/s/gan808"
    assert list(tmp_path.iterdir()) == []
