"""Where the hits of a recording begin: a loop is no drum sound, but may hold some.

NumPy; pure functions of their arguments.
"""

from __future__ import annotations

import numpy as np

BLOCK_S = 0.005
RISE_DB = 15.0  # over the lowest of the LOOK_BACK_S before
LOOK_BACK_S = 0.1
CREST_BLOCKS = 4
APART_S = 0.12  # flams, rolls and the bursts of a clap are one hit
BELOW_PEAK_DB = 26.0  # what is softer than that is no hit
SEVERAL = 4  # a drum that bounces twice is still one sound
BEFORE_S = 0.002


def onsets(audio: np.ndarray, sample_rate_hz: int) -> list[int]:
    """First samples of the hits, float32 (n,), rising."""
    size = max(1, round(BLOCK_S * sample_rate_hz))
    n_blocks = len(audio) // size
    if not n_blocks:
        return []
    # As it is, for soft kicks among hats; and its slope, for hits over what still rings low.
    both = (audio, np.diff(audio, prepend=audio[:1]))
    loud = np.any([_rises(each[: n_blocks * size].reshape(n_blocks, size)) for each in both],
                  axis=0)
    found: list[int] = []
    last = -round(APART_S / BLOCK_S)
    for block in np.flatnonzero(loud):
        if block - last >= APART_S / BLOCK_S:
            found.append(max(0, int(block) * size - round(BEFORE_S * sample_rate_hz)))
            last = int(block)
    return found


def _rises(blocks: np.ndarray) -> np.ndarray:
    """Which blocks, float32 (n, size), are loud and much louder than one shortly before."""
    db = 20 * np.log10(np.maximum(np.abs(blocks).max(axis=1), 1e-5))
    back = round(LOOK_BACK_S / BLOCK_S)
    crests = np.lib.stride_tricks.sliding_window_view(  # a 25 Hz kick is not silent twice a period
        np.concatenate([np.full(CREST_BLOCKS - 1, -100.0), db]), CREST_BLOCKS).max(axis=1)
    before = np.concatenate([np.full(back, -100.0), crests])
    lowest = np.lib.stride_tricks.sliding_window_view(before, back)[: len(db)].min(axis=1)
    return np.asarray((db >= db.max() - BELOW_PEAK_DB) & (db - lowest >= RISE_DB))
