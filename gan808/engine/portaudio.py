"""PortAudio's life in this process: loaded when first needed, running only while somebody uses it.

PortAudio looks for devices and JACK servers once, when it starts, so it is started anew for each
use. And it aborts the process when it is ended after its JACK server has died: so it is not left
to python-sounddevice to end it at exit, and after such a death it is never ended at all.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import threading
from typing import Any

from gan808.errors import DeviceError
from gan808.stderr import quiet_stderr

JACK_CLIENT_NAME = b"gan808"


class PortAudio:
    """Counts users: the first starts PortAudio, the last ends it. For any thread."""

    def __init__(self) -> None:
        # Reentrant: dropping an unused output may release it in the middle of another's acquire.
        self._lock = threading.RLock()
        self._users = 0
        self._abandoned = False
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
            if self._users == 0 and not self._abandoned:
                with quiet_stderr():
                    _name_jack_client(self._module)
                    try:
                        self._module._initialize()
                    except self._module.PortAudioError as error:
                        raise DeviceError(f"PortAudio does not start: {error.args[0]}") from error
            self._users += 1
            return self._module

    def release(self, *, server_died: bool = False) -> None:
        """Gives up one use. server_died: leave PortAudio as it is for the rest of the process."""
        with self._lock:
            self._users -= 1
            self._abandoned = self._abandoned or server_died
            if self._users == 0 and not self._abandoned:
                with quiet_stderr():
                    self._module._terminate()


PORTAUDIO = PortAudio()


def _loaded() -> Any:
    with quiet_stderr():
        try:
            module: Any = importlib.import_module("sounddevice")
        except OSError as error:
            raise DeviceError("PortAudio is missing: install the package libportaudio2 "
                              "(Debian), portaudio (Fedora, Homebrew)") from error
        atexit.unregister(module._exit_handler)
        # Importing it started it: end that, so that starting it again can be done our way.
        module._terminate()
    return module


def _name_jack_client(module: Any) -> None:
    """Tells PortAudio under which name to appear in JACK, where it was built with JACK."""
    try:
        ctypes.CDLL(module._libname).PaJack_SetClientName(JACK_CLIENT_NAME)
    except (OSError, AttributeError):
        return
