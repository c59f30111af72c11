"""The attack of one image and the rest of another: crossfaded in the image, before it is inverted,
so that Griffin-Lim finds phases that fit across the seam. Pure functions; any thread."""

from __future__ import annotations

import numpy as np

from gan808.sound.spectral.geometry import Geometry

# After the onset, seconds: up to here all is attack, from there on nothing is. Ids depend on these.
ATTACK_S, REST_S = 0.015, 0.045


def splice(attack: np.ndarray, rest: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Image whose first columns are those of `attack` and whose others are those of `rest`, each
    normalised log magnitudes, float32 (n_bands, columns, 1): float32 of that shape."""
    onset = geometry.lead_samples / geometry.hop
    after_s = (geometry.column_centres - onset) * geometry.hop / geometry.sample_rate_hz
    way = np.clip((after_s - ATTACK_S) / (REST_S - ATTACK_S), 0.0, 1.0)
    share = (0.5 + 0.5 * np.cos(np.pi * way)).astype(np.float32)[:, None]
    return np.asarray(share * attack + (np.float32(1.0) - share) * rest, np.float32)
