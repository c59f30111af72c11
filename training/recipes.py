"""The two recipes: which networks, which losses, which rates. Values only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from gan808.errors import TrainingError
from gan808.sound.network.spec import HOUSE_SPEC, PAPER_SPEC, NetworkSpec
from gan808.sound.spectral.geometry import HOUSE, PAPER, Geometry


@dataclass(frozen=True)
class Recipe:
    """penalty: wgan_gp, on points between real and generated, every step; or r1_r2, on both,
    every penalty_every steps and weighted up as much. precision: of the convolutions; bfloat16
    where the processor has it, with penalties and weights in float32. average: half-life of the
    averaged generator as a share of the steps so far, up to average_most steps; 0 uses the last
    weights. final_rate: the learning rate falls to this share of itself over the last 40% of the
    run. attack_columns: a second critic, of the relativistic loss, sees so many first columns of
    an image at full resolution; 0: there is none."""

    name: str
    spec: NetworkSpec
    geometry: Geometry
    loss: Literal["wasserstein", "relativistic"]
    penalty: Literal["wgan_gp", "r1_r2"]
    penalty_weight: float
    penalty_every: int
    critic_steps: int
    learning_rate: float
    beta_1: float
    beta_2: float
    batch: int
    class_weight_critic: float
    class_weight_generator: float
    augment: bool
    precision: Literal["float32", "bfloat16"]
    average: float
    average_most: int
    final_rate: float
    attack_columns: int = 0

    def __post_init__(self) -> None:
        smallest = {"penalty_every": 1, "critic_steps": 1, "batch": 2, "average_most": 0}
        for key, least in smallest.items():
            if getattr(self, key) < least:
                raise TrainingError(f"{key} {getattr(self, key)}: at least {least}")
        columns = self.geometry.image_shape[1]
        if not 0 <= self.attack_columns <= columns:
            raise TrainingError(f"attack_columns {self.attack_columns}: 0 to {columns}")
        if self.attack_columns and self.loss != "relativistic":
            raise TrainingError(f"attack_columns {self.attack_columns}: 0 with loss {self.loss}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for checkpoints and reports."""
        return asdict(self)


HOUSE_RECIPE = Recipe(
    name="house", spec=HOUSE_SPEC, geometry=HOUSE, loss="relativistic", penalty="r1_r2",
    penalty_weight=1.0, penalty_every=4, critic_steps=1, learning_rate=2e-4, beta_1=0.0,
    beta_2=0.99, batch=32, class_weight_critic=1.0, class_weight_generator=0.5, augment=True,
    precision="bfloat16", average=0.12, average_most=4000, final_rate=0.1,
)
# Donahue et al. 2018, table of hyperparameters, with the class added.
PAPER_RECIPE = Recipe(
    name="paper", spec=PAPER_SPEC, geometry=PAPER, loss="wasserstein", penalty="wgan_gp",
    penalty_weight=10.0, penalty_every=1, critic_steps=5, learning_rate=1e-4, beta_1=0.5,
    beta_2=0.9, batch=64, class_weight_critic=1.0, class_weight_generator=1.0, augment=False,
    precision="float32", average=0.0, average_most=0, final_rate=1.0,
)
RECIPES = {recipe.name: recipe for recipe in (HOUSE_RECIPE, PAPER_RECIPE)}
