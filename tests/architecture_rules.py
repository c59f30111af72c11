"""The walls of the house as rules over source text. Pure functions: source in, complaints out.

Each rule takes (path relative to the checkout, parsed module) and yields one line a complaint.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
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


@cache
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


# Floors of the house, lowest first; a folder imports from floors below its own. What lies loose in
# gan808/ (config, errors, paths, ...) is the ground.
FLOORS = (("engine", "sound"), ("sequencer", "pool"), ("instrument",),
          ("exchange",), ("control", "storage", "recording"), ("app",), ("cli",))
HEIGHTS = {name: height for height, names in enumerate(FLOORS, 1) for name in names}
# (file, module) that points up or sideways today, and why. It only shrinks: a test fails when an
# entry is no longer needed.
UPWARD_YET: dict[tuple[str, str], str] = {}
# (file, expression) of a private name of another that is used today, and why. It only shrinks too.
NUMBAS = "numba keeps object code in private parts; bounded in pyproject.toml"
PORTAUDIOS = "sounddevice has no public names for it"
PRIVATE_YET = {
    ("gan808/engine/jit/compiling.py", "cpu_target.target_context.codegen()._tm"): NUMBAS,
    ("gan808/engine/jit/compiling.py", "routine._wrapper_name"): NUMBAS,
    ("gan808/engine/jit/compiling.py", "routine._library._final_module"): NUMBAS,
    ("gan808/engine/jit/compiling.py", "routine._library"): NUMBAS,
    ("gan808/engine/outputs/portaudio_output.py", "self._sounddevice._StreamBase"): PORTAUDIOS,
    ("gan808/engine/outputs/portaudio.py", "module._exit_handler"): PORTAUDIOS,
    ("gan808/engine/outputs/portaudio.py", "module._terminate"): PORTAUDIOS,
    ("gan808/engine/outputs/portaudio.py", "self._module._terminate"): PORTAUDIOS,
    ("gan808/engine/outputs/portaudio.py", "self._module._initialize"): PORTAUDIOS,
}
# Where TOML and JSON are read, so that no text of anybody's ends in a RecursionError.
TEXT_READER = "gan808/toml_json.py"
# What opens a file or a socket; the instrument has neither.
OUTSIDE = {"socket", "socketserver", "tempfile", "shutil", "sqlite3", "tomlkit", "soundfile",
           "filelock"}
FILE_CALLS = {"open", "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink",
              "rename", "rmdir", "iterdir", "glob", "rglob", "touch", "is_file", "is_dir", "exists"}


def _floor(name: str) -> int:
    return HEIGHTS.get(name, 0)


def upward(path: PurePosixPath, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, module) of every import of gan808's that points up or to another room of the same
    floor: lazy and type-only ones too."""
    if not _inside(path, "gan808") or path.name == "__main__.py":
        return
    home = path.parts[1] if len(path.parts) > 2 else ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found = ([f"gan808.{alias.name}" for alias in node.names]
                     if node.module == "gan808" else [node.module])
        else:
            continue
        for module in found:
            package, _, rest = module.partition(".")
            room = rest.partition(".")[0]
            if package == "gan808" and room != home and _floor(room) >= max(1, _floor(home)):
                yield node.lineno, module


def arrows_go_down(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """cli -> app -> control, storage, recording -> exchange -> instrument -> sequencer, pool ->
    engine, sound -> what lies loose in gan808/."""
    for line, module in upward(path, tree):
        if (path.as_posix(), module) not in UPWARD_YET:
            yield f"{path}:{line} imports {module}, which is not below it"


def imports_are_absolute(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """In gan808, so that the rules on imports see them; training goes by two names, so there they
    are relative."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and _inside(path, "gan808"):
            yield f"{path}:{node.lineno} imports relatively"
    if _inside(path, "training"):
        for line, module in imports(tree):
            if module.split(".")[0] == "training":
                yield f"{path}:{line} imports {module}: in a wheel it is gan808_training"


def instrument_without_files(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """The instrument opens no file and no socket: storage and control do."""
    if not _inside(path, "gan808/instrument"):
        return
    for line, module in imports(tree):
        if module.split(".")[0] in OUTSIDE:
            yield f"{path}:{line} imports {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.split(".")[-1] in FILE_CALLS:
                yield f"{path}:{node.lineno} calls {called}"


def private_names(path: PurePosixPath, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, expression) of every private name of something else: read or assigned but by self,
    cls, or the class itself in the module that defines it, or imported from another module. What
    has the name of one of the module's own is let pass."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    own_attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
                      and _private(node.attr) and ast.unparse(node.value) in {"self", "cls", *own}}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _private(node.attr):
            # os._exit is public in all but its name.
            if node.attr not in own_attributes and ast.unparse(node) != "os._exit":
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gan808"):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names
                        if _private(alias.name))


def no_private_access(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """Nobody reads or assigns the private names of another module's classes."""
    for line, name in private_names(path, tree):
        if _inside(path, "gan808") and (path.as_posix(), name) not in PRIVATE_YET:
            yield f"{path}:{line} {name} is private to another"


def _private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def instrument_without_training(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """gan808 never imports training; gan808/cli/training.py takes on its commands by name."""
    for line, module in imports(tree):
        if _inside(path, "gan808") and module.split(".")[0] in ("training", "gan808_training"):
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
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords
                    if keyword.arg in ("allow_pickle", "safe_mode")}
        if called.split(".")[-1] in UNSAFE_CALLS:
            yield f"{path}:{node.lineno} calls {called}"
        if called in ("np.load", "numpy.load") and keywords.get("allow_pickle") != "False":
            yield f"{path}:{node.lineno} calls {called} without allow_pickle=False"
        elif keywords.get("allow_pickle", "False") != "False":
            yield f"{path}:{node.lineno} calls {called} with allow_pickle"
        if keywords.get("safe_mode") == "False":
            yield f"{path}:{node.lineno} calls {called} with safe_mode=False"


def texts_by_one_reader(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """TOML and JSON are read by toml_json.py, which raises nothing but ValueError."""
    if path.as_posix() == TEXT_READER:
        return
    for line, module in imports(tree):
        if module == "tomllib":
            yield f"{path}:{line} imports {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.load", "json.loads"):
            yield f"{path}:{node.lineno} calls {ast.unparse(node.func)}"


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


def same_names(trees: Iterable[tuple[PurePosixPath, ast.Module]]) -> Iterator[str]:
    """One word means one thing: no two classes of one name in the whole program."""
    homes: dict[str, list[str]] = {}
    for path, tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(f"{path}:{node.lineno}")
    for name, places in homes.items():
        if len(places) > 1:
            yield f"class {name} is in {' and in '.join(places)}"


def says_what_it_is(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    """A module with anything in it opens by saying what it owns."""
    if tree.body and not ast.get_docstring(tree):
        yield f"{path} has no docstring"


RULES_OF_THE_PROGRAM: tuple[Rule, ...] = (
    arrows_go_down, imports_are_absolute, instrument_without_files, no_private_access,
    instrument_without_training, tensorflow_in_its_place, no_unsafe_loading, texts_by_one_reader,
    no_pickled_messages, short_enough, errors_are_named, says_what_it_is,
)
RULES_OF_THE_REST: tuple[Rule, ...] = (no_unsafe_loading, short_enough)
