"""What outputs on devices have in common: a driver's thread mixes, a thread of ours watches."""

from __future__ import annotations

import time
from abc import abstractmethod

from gan808.engine.engine import Engine
from gan808.engine.outputs.output import Output
from gan808.errors import DeviceError

WATCH_INTERVAL_S = 0.1
FIRST_BLOCK_S = 0.5
# A device that asks for no sound for this long is gone, whatever its driver says.
STALLED_S = 2.0


class DeviceOutput(Output):
    """Plays on a device, which can go away and come back. end_frame None: until it is stopped."""

    end_frame: int | None = None

    @abstractmethod
    def _active(self) -> bool:
        """Whether the driver says that it still plays."""

    def _run(self, engine: Engine) -> None:
        frames, moved_s = engine.frames, time.monotonic()
        while not self._stopping.wait(WATCH_INTERVAL_S):
            if self.end_frame is not None and engine.frames >= self.end_frame:
                return
            if engine.frames != frames:
                frames, moved_s = engine.frames, time.monotonic()
            elif time.monotonic() - moved_s > STALLED_S or not self._active():
                raise DeviceError(f"the sound device {self.name} went away")

    def _await_first_block(self, engine: Engine, before: int) -> None:
        """Return when the driver has asked for a block beyond `before` of them, or soon."""
        deadline_s = time.monotonic() + FIRST_BLOCK_S
        while engine.blocks == before and time.monotonic() < deadline_s:
            time.sleep(0.001)
