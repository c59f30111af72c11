"""Notices when a run goes wrong: losses that are not finite, gradients or losses that explode, a
critic that nothing can learn from any more, classes that have collapsed to one sound.

What is normal is the running median of the run itself. All of it is a function of the steps seen
and is kept in checkpoints, so a run that was killed notices the same at the same step.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

# What is watched, and the value below which it counts as that value: relativistic losses lie
# around 0.7, gradients' norms of a healthy run between 0.1 and 10.
FLOORS = {"critic": 1.0, "generator": 1.0, "penalty": 1.0, "norm_critic": 0.1,
          "norm_generator": 0.1, "norm_penalty": 0.1}
# A Wasserstein loss is a distance between images: it begins at 0 and may reach 100 soon after.
WASSERSTEIN_FLOORS = FLOORS | {"critic": 10.0, "generator": 10.0}


@dataclass(frozen=True)
class DivergenceLimits:
    """exploded: so many times the running median of the last `window` steps, `in_a_row` times in
    a row; one spike is nothing. saturated_loss: a relativistic critic's loss, below which for
    saturated_steps in a row its margin teaches the generator nothing. Diversity, looked at every
    look_every steps, is the mean distance between generated images of a class as a share of real
    ones'; below collapsed it is near nothing, if it was ever above twice that."""

    window: int = 200
    known_from: int = 50
    exploded: float = 30.0
    in_a_row: int = 5
    saturated_loss: float = 1e-3
    saturated_steps: int = 300
    look_every: int = 250
    collapsed: float = 0.05


class Watch:
    """Looks at each step of one run for signs of divergence."""

    def __init__(
        self, limits: DivergenceLimits, state: dict[str, Any] | None = None,
        floors: dict[str, float] = FLOORS,
    ) -> None:
        self.limits, self._floors = limits, floors
        kept = state or {}
        values = kept.get("values", {})
        self._values = {name: deque(values.get(name, ()), limits.window) for name in floors}
        self._over: dict[str, int] = dict(kept.get("over", {}))
        self._saturated = int(kept.get("saturated", 0))
        self._most_diverse = float(kept.get("most_diverse", 0.0))

    def to_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"values": {name: list(values) for name, values in self._values.items()},
                "over": self._over, "saturated": self._saturated,
                "most_diverse": self._most_diverse}

    def trouble(self, results: dict[str, float]) -> str | None:
        """What is wrong with a step's results; None when nothing is."""
        strange = [f"{name} {value}" for name, value in results.items() if not math.isfinite(value)]
        if strange:
            return f"a loss is not finite ({', '.join(strange)})"
        for name in self._floors:
            if name in results and (said := self._explodes(name, abs(results[name]))):
                return said
        if "margin" in results:
            below = results["critic"] < self.limits.saturated_loss
            self._saturated = self._saturated + 1 if below else 0
            if self._saturated >= self.limits.saturated_steps:
                return (f"the critic has told every pair apart for {self._saturated} steps "
                        f"(margin {results['margin']:.1f})")
        return None

    def _explodes(self, name: str, value: float) -> str | None:
        known, limits = self._values[name], self.limits
        if len(known) >= limits.known_from:
            usual = max(statistics.median(known), self._floors[name])
            if value > limits.exploded * usual:
                self._over[name] = self._over.get(name, 0) + 1
                if self._over[name] < limits.in_a_row:
                    return None
                return f"{name} has exploded ({value:.3g}, {usual:.3g} is usual)"
        self._over[name] = 0
        known.append(value)
        return None

    def looks(self, step: int) -> bool:
        """Whether diversity is due after this step."""
        return step % self.limits.look_every == 0

    def collapse(self, diversity: float) -> str | None:
        """What is wrong with a diversity; None when nothing is."""
        if not math.isfinite(diversity):
            return "the generator's images are not finite"
        self._most_diverse = max(self._most_diverse, diversity)
        least = self.limits.collapsed
        if diversity < least and self._most_diverse > 2 * least:
            return (f"the sounds of a class have become one: {diversity:.1%} of real ones' "
                    f"diversity, it was {self._most_diverse:.0%}")
        return None


def diversity_of(images: np.ndarray, labels: np.ndarray) -> float:
    """Root mean square distance between two images of a class, averaged over classes.

    images: float32 (n, ...), labels: int (n,); classes with one image take no part.
    """
    flat = images.reshape(len(images), -1).astype(np.float64)
    of_classes = [math.sqrt(2.0 * flat[labels == label].var(axis=0, ddof=1).mean())
                  for label in np.unique(labels) if (labels == label).sum() > 1]
    return float(np.mean(of_classes)) if of_classes else math.nan


@dataclass
class Recovery:
    """What a run has come back from. branch: rollbacks so far; each draws other batches and
    latents. failures: in a row, without getting well past the last, at step failed_at.
    rate_factor: on the learning rate, halved when the same place fails again."""

    branch: int = 0
    failures: int = 0
    failed_at: int = 0
    rate_factor: float = 1.0

    PAST = 500  # steps beyond a failure that count as having got over it
    MOST = 5  # failures in a row, after which the run is stopped

    def passed(self, step: int) -> None:
        """A step went well."""
        if self.failures and step > self.failed_at + self.PAST:
            self.failures = 0

    def failed(self, step: int) -> bool:
        """A step went wrong; False when there is no use in trying again."""
        self.failures += 1
        if self.failures >= self.MOST:
            return False
        self.branch += 1
        if self.failures > 1:
            self.rate_factor *= 0.5
        self.failed_at = max(step, self.failed_at)
        return True
