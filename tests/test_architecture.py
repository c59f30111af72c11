"""The walls of the house hold: who imports whom, what runs at import, what is never used."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path, PurePosixPath

import pytest

from tests import architecture_rules as rules

PROGRAM = rules.source_files("gan808", "training")
REST = rules.source_files("tests", "benchmarks", "examples", "docs")

# Source that breaks each rule, so that a rule that has gone blind fails here.
BREAKS = [
    (rules.arrows_go_down, "gan808/engine/x.py", "def f():\n from gan808.storage import x"),
    (rules.arrows_go_down, "gan808/sound/x.py", "from gan808 import app"),
    (rules.arrows_go_down, "gan808/control/x.py", "import gan808.storage.library"),
    (rules.arrows_go_down, "gan808/exchange/x.py", "import gan808.storage.library"),
    (rules.arrows_go_down, "gan808/x.py", "if TYPE_CHECKING:\n from gan808.sound import y"),
    (rules.imports_are_absolute, "gan808/x.py", "from .errors import X"),
    (rules.imports_are_absolute, "training/x.py", "from training.y import z"),
    (rules.instrument_without_files, "gan808/instrument/x.py", "import socket"),
    (rules.instrument_without_files, "gan808/instrument/x.py", "path.read_text()"),
    (rules.no_private_access, "gan808/x.py", "def f(a):\n    a._b = 1"),
    (rules.no_private_access, "gan808/x.py", "from gan808.config import _x"),
    (rules.instrument_without_training, "gan808/app/daemon.py", "def f():\n import training.cli"),
    (rules.instrument_without_training, "gan808/cli/main.py", "import training.trainer"),
    (rules.tensorflow_in_its_place, "gan808/app/daemon.py", "def f():\n    import keras"),
    (rules.tensorflow_in_its_place, "gan808/instrument/machine.py", "from numba import njit"),
    (rules.no_unsafe_loading, "training/x.py", "import pickle"),
    (rules.no_unsafe_loading, "training/x.py", "import numpy as np\nnp.load('a')"),
    (rules.no_unsafe_loading, "training/x.py", "np.load('a', allow_pickle=True)"),
    (rules.no_unsafe_loading, "training/x.py", "np.save('a', b, allow_pickle=True)"),
    (rules.no_unsafe_loading, "training/x.py", "eval('1')"),
    (rules.no_unsafe_loading, "training/x.py", "keras.models.load_model('a')"),
    (rules.texts_by_one_reader, "training/x.py", "import tomllib"),
    (rules.texts_by_one_reader, "gan808/storage/x.py", "json.loads(text)"),
    (rules.no_pickled_messages, "gan808/pool/render_process.py", "pipe.send(1)"),
    (rules.short_enough, "gan808/x.py", "x = 1\n" * 401),
    (rules.short_enough, "gan808/x.py", "def f():\n" + "    x = 1\n" * 60),
    (rules.errors_are_named, "gan808/x.py", "try:\n    f()\nexcept Exception:\n    pass"),
    (rules.errors_are_named, "gan808/x.py", "def f():\n    global x\n    x = 1"),
    (rules.says_what_it_is, "gan808/x.py", "x = 1"),
]

# Imports every module given, then reports what that loaded and touched.
IMPORTER = """
import importlib, json, os, sys, threading
touched = []
def watch(event, args):
    if event == "open":
        path, mode, flags = args
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        known = isinstance(path, int) or str(path) == os.devnull  # a number was opened before
        if writes and not known and "__pycache__" not in str(path):
            touched.append(f"{event} {path}")
    elif event in ("os.mkdir", "subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec") \\
            or event.startswith(("socket.bind", "socket.connect", "socket.getaddrinfo")):
        touched.append(f"{event} {args}")
sys.addaudithook(watch)
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
threads = [thread.name for thread in threading.enumerate()]
print(json.dumps({"loaded": sorted(sys.modules), "touched": touched, "threads": threads}))
"""


def import_apart(modules: list[str], folder: Path) -> dict[str, list[str]]:
    """What importing these in a new interpreter loads and touches."""
    result = subprocess.run(
        [sys.executable, "-c", IMPORTER, json.dumps(modules)], cwd=folder, check=False,
        capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(rules.CHECKOUT), "HOME": str(folder)},
    )
    assert result.returncode == 0, result.stderr
    report: dict[str, list[str]] = json.loads(result.stdout.splitlines()[-1])
    return report


def module_name(path: PurePosixPath) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("rule", rules.RULES_OF_THE_PROGRAM, ids=lambda rule: rule.__name__)
def test_the_program_keeps_the_rule(rule: rules.Rule) -> None:
    assert len(PROGRAM) > 20
    complaints = [line for path in PROGRAM for line in rule(path, rules.parse(path))]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("rule", rules.RULES_OF_THE_REST, ids=lambda rule: rule.__name__)
def test_tests_and_examples_keep_the_rule(rule: rules.Rule) -> None:
    complaints = [line for path in REST for line in rule(path, rules.parse(path))]
    assert not complaints, "\n".join(complaints)


def test_every_exception_is_still_needed() -> None:
    """The lists of what is not yet as it should be shrink."""
    trees = [(path, rules.parse(path)) for path in PROGRAM]
    arrows = {(path.as_posix(), module) for path, tree in trees
              for _, module in rules.upward(path, tree)}
    private = {(path.as_posix(), name) for path, tree in trees
               for _, name in rules.private_names(path, tree)}
    assert set(rules.UPWARD_YET) - arrows == set()
    assert set(rules.PRIVATE_YET) - private == set()


def test_no_two_classes_have_one_name() -> None:
    complaints = list(rules.same_names((path, rules.parse(path)) for path in PROGRAM))
    assert not complaints, "\n".join(complaints)
    twice = ast.parse("class A: pass\nclass B:\n class A: pass")
    assert list(rules.same_names([(PurePosixPath("gan808/x.py"), twice)]))


@pytest.mark.parametrize(("rule", "path", "source"), BREAKS)
def test_a_rule_sees_what_breaks_it(rule: rules.Rule, path: str, source: str) -> None:
    assert list(rule(PurePosixPath(path), ast.parse(source)))


def test_the_daemon_loads_nothing_that_belongs_elsewhere(tmp_path: Path) -> None:
    report = import_apart(["gan808.app.daemon"], tmp_path)
    loaded = {name.split(".")[0] for name in report["loaded"]}
    assert "gan808" in loaded
    assert not loaded & {"tensorflow", "keras", "jax", "torch", "training", "librosa",
                         "matplotlib", "sklearn"}


def test_import_opens_no_device_file_or_socket(tmp_path: Path) -> None:
    playing = [module_name(path) for path in PROGRAM
               if path.parts[0] == "gan808" and path.name != "__main__.py"
               and not any(name in module for name in ("keras", "tensorflow", "network.tensors")
                           for _, module in rules.imports(rules.parse(path)))]
    report = import_apart(playing, tmp_path)
    assert report["touched"] == []
    assert report["threads"] == ["MainThread"]
    assert not {"sounddevice", "_sounddevice", "_rtmidi"} & set(report["loaded"])
    assert list(tmp_path.iterdir()) == []


def test_every_library_is_declared() -> None:
    """What the program imports is what `pip install .` or an extra brings, by name, not through
    another."""
    text = (rules.CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"]]
    wanted += [line for name, lines in extras.items() if name != "dev" for line in lines]
    declared = {re.split(r"[<>=~!\[; ]", line)[0].lower() for line in wanted}
    providers = packages_distributions()
    missing = []
    for path in PROGRAM:
        for line, module in rules.imports(rules.parse(path)):
            top = module.split(".")[0]
            distributions = {name.lower() for name in providers.get(top, [top])}
            if top not in {"gan808", "training"} | sys.stdlib_module_names and not (
                distributions & declared
            ):
                missing.append(f"{path}:{line} imports {top}, not in pyproject.toml")
    assert not missing, "\n".join(missing)
