"""Where a block of each slot alone goes, for outputs that ask for it. Belongs to who mixes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gan808.engine.layout import CHANNELS, SLOT_CHANNELS, SLOTS


class SlotBuffers:
    """audio, float32 (SLOTS, CHANNELS, frames): of each slot what was mixed of it, before master
    volume and limiter. address: what the callback is told."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self.audio: NDArray[np.float32] = np.zeros((SLOTS, CHANNELS, frames), np.float32)
        self._addresses = self.audio.ctypes.data + 4 * frames * np.arange(SLOT_CHANNELS)
        self.address = int(self._addresses.ctypes.data)
