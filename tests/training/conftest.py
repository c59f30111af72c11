"""A small dataset for the tests of training."""

import sys

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


@pytest.fixture(autouse=True)
def one_by_one(request):
    """Networks run operation by operation: for up to some eight steps that is quicker than to trace
    graphs first, and the losses are the same. What takes more, or is about graphs, asks for
    `graphs`."""
    if "graphs" in request.fixturenames or "tensorflow" not in sys.modules:
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def graphs():
    """Steps are compiled, as in a training."""


@pytest.fixture
def tiny_recipes(monkeypatch):
    """RECIPES with the tiny ones: by name, as a checkpoint finds them."""
    for recipe in (TINY, TINY_PAPER):
        monkeypatch.setitem(RECIPES, recipe.name, recipe)
