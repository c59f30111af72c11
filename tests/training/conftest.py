"""A small dataset for the tests of training."""

import pytest

from tests.training.tiny_recipe import TINY, TINY_PAPER, write_drums
from training.corpus.folder import FolderSource
from training.dataset import Dataset, PrepareOptions, prepare
from training.recipes import RECIPES


@pytest.fixture(scope="session")
def drums(tmp_path_factory):
    return write_drums(tmp_path_factory.mktemp("sounds") / "drums")


@pytest.fixture(scope="session")
def dataset(drums, tmp_path_factory):
    folder = tmp_path_factory.mktemp("datasets") / "tiny"
    prepare([FolderSource(drums)], folder, TINY.geometry, PrepareOptions(variants_to=20))
    return Dataset(folder)


@pytest.fixture
def tiny_recipes(monkeypatch):
    """RECIPES with the tiny ones: by name, as a checkpoint finds them."""
    for recipe in (TINY, TINY_PAPER):
        monkeypatch.setitem(RECIPES, recipe.name, recipe)
