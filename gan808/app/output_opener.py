"""The output of a run: found on a thread of its own while the caller loads the rest.

Asking PortAudio and JACK for devices is mostly waiting, a tenth of a second or more. One thread,
`gan808-opening`, that ends when the output is found; nothing plays before the daemon starts it.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING

from gan808 import paths
from gan808.errors import DeviceError, Gan808Error

if TYPE_CHECKING:
    from gan808.app.managed_session import ManagedSession
    from gan808.config import Settings
    from gan808.engine.outputs.jack import JackPresence
    from gan808.engine.outputs.output import Output


def live_output(settings: Settings, seconds: float | None, rate_hz: int | None,
                presence: JackPresence | None = None) -> Output:
    """The output of the settings, at that rate or the device's own; presence: how it appears on
    JACK. Raises DeviceError."""
    from gan808.engine.outputs.registry import open_output

    audio = settings.audio
    return open_output(
        audio.output,
        sample_rate_hz=rate_hz,
        block_frames=audio.block_frames or None,
        seconds=seconds,
        file_dir=paths.recordings_folder(),
        presence=presence,
    )


class Opening:
    """A live output on its way. As a context it waits for the end of its thread, which silences
    libraries that write to stderr: an error told meanwhile would be lost."""

    def __init__(self, settings: Settings, seconds: float | None,
                 managed: ManagedSession | None = None) -> None:
        self._settings = settings
        self._presence = managed.presence if managed is not None else None
        self._seconds = seconds
        self._output: Output | None = None
        self._error: Gan808Error | None = None
        self._thread = threading.Thread(target=self._open, name="gan808-opening", daemon=True)

    def __enter__(self) -> Opening:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._thread.join()
        if kind is not None and self._output is not None:
            self._output.stop()  # JACK waits for clients that die

    def result(self) -> Output:
        """The output, when it is found. Raises DeviceError when it is not."""
        self._thread.join()
        if self._output is None:
            raise self._error or DeviceError("the output was not opened: something broke")
        return self._output

    def _open(self) -> None:
        try:
            rate_hz = self._settings.audio.sample_rate_hz or None
            self._output = live_output(self._settings, self._seconds, rate_hz, self._presence)
        except Gan808Error as error:
            self._error = error
        except ImportError as error:  # Ctrl-C took away what this thread was importing too
            self._error = DeviceError(f"the output cannot be loaded: {error}")
