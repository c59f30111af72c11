"""Which seed comes next for each class: the same run seed gives the same sequences."""

from __future__ import annotations

import zlib

import numpy as np

from gan808.config import HIGHEST_SEED


class Seeds:
    """One endless sequence of seeds for each kit and class, independent of the order in which the
    classes are asked. Belongs to one thread."""

    def __init__(self, run_seed: int) -> None:
        self._run_seed = run_seed
        self._generators: dict[str, np.random.Generator] = {}

    def next(self, kit_name: str, class_name: str, count: int) -> list[int]:
        """The next `count` seeds, each in 0 .. HIGHEST_SEED."""
        name = f"{kit_name}/{class_name}"
        if name not in self._generators:
            # crc32, because Python's own hash of a text differs from run to run
            self._generators[name] = np.random.default_rng(
                [self._run_seed, zlib.crc32(name.encode())]
            )
        return [int(s) for s in self._generators[name].integers(0, HIGHEST_SEED + 1, count)]
