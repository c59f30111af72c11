"""Where things are on this machine: shipped data, the user's folders. Pure functions; no thread.

Nothing is created here: whoever writes into a folder makes it. Importing this contacts nothing.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from platformdirs import PlatformDirs

_APP = PlatformDirs("gan808", appauthor=False)
_PACKAGE = Path(__file__).resolve().parent


def shipped_folder() -> Path:
    """The folder that holds `kits/` and `config.toml`: a checkout's root, or the wheel's _data."""
    packed = _PACKAGE / "_data"
    return packed if packed.is_dir() else _PACKAGE.parent


def shipped_config_file() -> Path:
    """The config.toml with every default, for a user to copy."""
    return shipped_folder() / "config.toml"


def user_config_file() -> Path:
    """The user's own config.toml; need not exist."""
    return _APP.user_config_path / "config.toml"


def user_kits_folder() -> Path:
    """Where `gan808 train` puts a kit, and where kits from elsewhere are unpacked."""
    return _APP.user_data_path / "kits"


def user_patterns_folder() -> Path:
    """Where a user's own pattern files are found by name."""
    return _APP.user_data_path / "patterns"


def songs_folder() -> Path:
    """Where a user's songs are found by name."""
    return _APP.user_data_path / "songs"


def controls_file() -> Path:
    """What `gan808 learn` has learned."""
    return _APP.user_data_path / "controls.toml"


def kit_folders() -> tuple[Path, ...]:
    """Folders searched for a kit by name, first match wins: the user's, then the shipped."""
    return (user_kits_folder(), shipped_folder() / "kits")


def favourites_folder() -> Path:
    """Where /sound/keep puts a sound."""
    return _APP.user_data_path / "favourites"


def exports_folder() -> Path:
    """Where /sound/export puts a WAV that was given no folder."""
    return _APP.user_data_path / "exports"


def scenes_folder() -> Path:
    """Where /scene/save puts a scene."""
    return _APP.user_data_path / "scenes"


def state_folder() -> Path:
    """Where the state of the machine is kept from one run to the next."""
    return _APP.user_state_path


def panel_file() -> Path:
    """Where a running instrument says at which address its panel is."""
    return _APP.user_state_path / "panel"


def training_page_file() -> Path:
    """Where a training that runs says at which address its page is."""
    return _APP.user_state_path / "training-page"


def imports_folder() -> Path:
    """The user's own sound files, for /slot/SLOT/load and /slot/SLOT/match."""
    return _APP.user_data_path / "imports"


def recordings_folder() -> Path:
    """Where sound goes when there is no device: the user's Music folder, in one of its own."""
    return _APP.user_music_path / "gan808"


def training_folder() -> Path:
    """Shards, checkpoints and reports of training runs."""
    return _APP.user_data_path / "training"


def datasets_folder() -> Path:
    """Where `gan808 prepare` writes what it was given no folder for."""
    return training_folder() / "datasets"


def pool_folder(kit_name: str) -> Path:
    """Where the last pool of one kit is kept between runs."""
    return _APP.user_cache_path / "pool" / kit_name


def pattern_index_file() -> Path:
    """What the list of patterns says of the user's files, so that it need not read them anew."""
    return _APP.user_cache_path / "patterns.json"


def written_folders() -> tuple[Path, ...]:
    """Every folder a run writes files into: where a kill can leave something unfinished."""
    state, patterns = state_folder(), user_patterns_folder()
    return (state, state / "sounds", patterns.parent, patterns, user_kits_folder(),
            favourites_folder(), exports_folder(), scenes_folder(), imports_folder(),
            recordings_folder(), pool_folder("any").parent, pattern_index_file().parent,
            *compiled_folders())


def compiled_folders() -> tuple[Path, ...]:
    """Where the compiled audio callback is kept, so that a start need not compile it: beside the
    program, as Python does; where that cannot be written, in the user's cache."""
    return (_PACKAGE / "engine" / "__pycache__", _APP.user_cache_path / "compiled")


def ordinary(path: Path) -> os.stat_result:
    """What the system knows of an ordinary file. Raises OSError where there is none, and for a
    pipe, a device or a folder: opening a pipe may wait for ever."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "is no ordinary file", str(path))
    return status
