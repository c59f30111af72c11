"""PortAudio's life in this process: loaded when first needed, running only while somebody uses it.

PortAudio looks for devices once, when it starts, so it is started anew for each use. It never meets
a JACK server, which jack_output.py speaks to: it would abort the process when that server dies.
"""

from __future__ import annotations

import atexit
import importlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gan808.errors import DeviceError
from gan808.stderr import quiet_stderr

NO_SERVER = "gan808-none"


class PortAudio:
    """Counts users: the first starts PortAudio, the last ends it. For any thread."""

    def __init__(self) -> None:
        # Reentrant: dropping an unused output may release it in the middle of another's acquire.
        self._lock = threading.RLock()
        self._users = 0
        self._module: Any = None

    @property
    def users(self) -> int:
        """How many uses have not been released."""
        return self._users

    def acquire(self) -> Any:
        """The running sounddevice module; `release` it when done. Raises DeviceError."""
        with self._lock:
            if self._module is None:
                self._module = _loaded()
            if self._users == 0:
                with quiet_stderr(), _without_jack():
                    try:
                        self._module._initialize()
                    except self._module.PortAudioError as error:
                        raise DeviceError(f"PortAudio does not start: {error.args[0]}") from error
            self._users += 1
            return self._module

    def release(self) -> None:
        """Gives up one use."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                with quiet_stderr():
                    self._module._terminate()


PORTAUDIO = PortAudio()


@contextmanager
def _without_jack() -> Iterator[None]:
    """While PortAudio starts, JACK's server is one that is not there."""
    before = os.environ.get("JACK_DEFAULT_SERVER")
    os.environ["JACK_DEFAULT_SERVER"] = NO_SERVER
    try:
        yield
    finally:
        if before is None:
            del os.environ["JACK_DEFAULT_SERVER"]
        else:
            os.environ["JACK_DEFAULT_SERVER"] = before


def _loaded() -> Any:
    with quiet_stderr(), _without_jack():
        try:
            module: Any = importlib.import_module("sounddevice")
        except OSError as error:
            raise DeviceError("PortAudio is missing: install the package libportaudio2 "
                              "(Debian), portaudio (Fedora, Homebrew)") from error
        atexit.unregister(module._exit_handler)
        # Importing it started it: end that, so that starting it again can be done our way.
        module._terminate()
    return module
