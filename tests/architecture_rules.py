"""The walls of the house as rules over source text. Pure functions: source in, complaints out.

Each rule takes (path relative to the checkout, parsed module) and yields one line a complaint.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

Rule = Callable[[PurePosixPath, ast.Module], Iterator[str]]

CHECKOUT = Path(__file__).resolve().parent.parent
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

# What may run code that a file brought along. Numbers travel as safetensors, npz and TOML.
UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal",
                  "shelve"}
UNSAFE_CALLS = {"eval", "exec", "load_model", "enable_unsafe_deserialization"}


def source_files(*folders: str) -> list[PurePosixPath]:
    """Every Python file under these folders of the checkout, relative to it, sorted."""
    found = [path for folder in folders for path in (CHECKOUT / folder).rglob("*.py")]
    return sorted(PurePosixPath(path.relative_to(CHECKOUT).as_posix()) for path in found)


def parse(path: PurePosixPath) -> ast.Module:
    return ast.parse((CHECKOUT / path).read_text(encoding="utf-8"), filename=str(path))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted module) of every absolute import, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def _inside(path: PurePosixPath, *folders: str) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def instrument_without_training(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """gan808 never imports training; only the command line takes on training's commands."""
    for line, module in imports(tree):
        theirs = _inside(path, "gan808") and module.split(".")[0] == "training"
        if theirs and (path.as_posix(), module) != ("gan808/cli/main.py", "training.cli"):
            yield f"{path}:{line} imports {module}"


def tensorflow_in_its_place(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """TensorFlow and Keras only where sound is made, numba only there and where it is mixed."""
    made, mixed = "gan808/sound", "gan808/engine"
    homes = {"tensorflow": (made,), "keras": (made,), "jax": (made,),
             "numba": (made, mixed), "llvmlite": (made, mixed)}
    for line, module in imports(tree):
        allowed = homes.get(module.split(".")[0], ())
        if allowed and _inside(path, "gan808") and not any(_inside(path, h) for h in allowed):
            yield f"{path}:{line} imports {module} outside {' and '.join(allowed)}"


def no_unsafe_loading(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """Nothing that runs code out of a file or a message."""
    for line, module in imports(tree):
        if module.split(".")[0] in UNSAFE_MODULES:
            yield f"{path}:{line} imports {module}"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if called.split(".")[-1] in UNSAFE_CALLS:
            yield f"{path}:{node.lineno} calls {called}"
        if called in ("np.load", "numpy.load") and keywords.get("allow_pickle") != "False":
            yield f"{path}:{node.lineno} calls {called} without allow_pickle=False"
        elif keywords.get("allow_pickle", "False") != "False":
            yield f"{path}:{node.lineno} calls {called} with allow_pickle"
        if keywords.get("safe_mode") == "False":
            yield f"{path}:{node.lineno} calls {called} with safe_mode=False"


def no_pickled_messages(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """Pipes to the render process carry bytes: Connection.send and recv would pickle."""
    if not _inside(path, "gan808/pool"):
        return
    for node in ast.walk(tree):
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("send", "recv")):
            yield f"{path}:{node.lineno} calls {ast.unparse(node.func)}"


def short_enough(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """Files and functions that a reader can hold in the head."""
    last = max((node.end_lineno or 0 for node in tree.body), default=0)
    if last > MAX_FILE_LINES:
        yield f"{path} has {last} lines, more than {MAX_FILE_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{path}:{node.lineno} {node.name} has {lines} lines"


def errors_are_named(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """No handler that catches everything, no global state."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = ast.unparse(node.type) if node.type else ""
            if kinds in ("", "Exception", "BaseException"):
                yield f"{path}:{node.lineno} catches everything"
        elif isinstance(node, ast.Global):
            yield f"{path}:{node.lineno} global {', '.join(node.names)}"


def says_what_it_is(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """A module with anything in it opens by saying what it owns."""
    if tree.body and not ast.get_docstring(tree):
        yield f"{path} has no docstring"


RULES_OF_THE_PROGRAM: tuple[Rule, ...] = (
    instrument_without_training, tensorflow_in_its_place, no_unsafe_loading, no_pickled_messages,
    short_enough, errors_are_named, says_what_it_is,
)
RULES_OF_THE_REST: tuple[Rule, ...] = (no_unsafe_loading, short_enough)
