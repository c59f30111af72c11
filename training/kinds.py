"""Held-out recordings and held-out synthesised voices, judged apart: a kit is judged by real packs,
and voices that are made like its training sounds are nearer to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .intervals import Figure, share
from .set_metrics import JudgedSet, Reference

FEWEST = 12  # sounds of a kind, for figures of its own
RECORDINGS, SYNTHESISED = "recordings", "synthesised voices"


@dataclass(frozen=True)
class KindScore:
    """One kind of held-out sounds. recognised: how many of themselves; frechet, coverage: of what
    is accepted against them; frechet_codec, coverage_codec: of training sounds through the
    codec."""

    held_out: int
    recognised: Figure
    frechet: Figure
    frechet_codec: Figure
    coverage: Figure
    coverage_codec: Figure


def scores_by_kind(
    held: JudgedSet, synthesised: np.ndarray, accepted: JudgedSet, codec: JudgedSet
) -> dict[str, KindScore]:
    """Both kinds, of held-out sounds of which `synthesised`, bool (n,), says which they are; none
    where of either there are fewer than FEWEST, or nothing is accepted."""
    kinds = {RECORDINGS: ~synthesised, SYNTHESISED: synthesised}
    if not len(accepted) or min(int(mine.sum()) for mine in kinds.values()) < FEWEST:
        return {}
    return {name: _score(held.of(mine), accepted, codec) for name, mine in kinds.items()}


def _score(held: JudgedSet, accepted: JudgedSet, codec: JudgedSet) -> KindScore:
    reference = Reference(held)
    made, real = (reference.compare(heard) for heard in (accepted, codec))
    return KindScore(
        held_out=len(held), recognised=share(int(held.right.sum()), len(held)),
        frechet=made["frechet"].figure, frechet_codec=real["frechet"].figure,
        coverage=made["coverage"].figure, coverage_codec=real["coverage"].figure,
    )
