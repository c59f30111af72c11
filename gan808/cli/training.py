"""Where the training commands come from. The instrument never imports training by name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import typer

IN_A_WHEEL, IN_A_CHECKOUT = "gan808_training", "training"


def training_package() -> str:
    """The package that lies beside gan808. A wheel renames it: site-packages may hold somebody
    else's `training`."""
    beside = Path(__file__).resolve().parents[2]
    return IN_A_WHEEL if (beside / IN_A_WHEEL).is_dir() else IN_A_CHECKOUT


def add_training_commands(app: typer.Typer) -> None:
    """Add train, sort, prepare, fit, evaluate and export to the command line."""
    import_module(f"{training_package()}.cli").add_training_commands(app)
