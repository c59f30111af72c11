"""Compiled routines kept on disk as object code: a start that finds them needs no numba.

numba takes half a second to import and to load from its own cache; LLVM alone, through llvmlite,
loads the same code in a few milliseconds. Owns the code that runs, and one file a module of
routines. Any thread.

What a file depends on is in its key: the sources, numba, llvmlite and the processor. A file that is
missing, damaged or stale is compiled anew; where none can be written that is done at each start.
Object code runs: as with Python's own compiled files, who may write there may run code as the user.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from gan808 import atomic, paths
from gan808.toml_json import from_json

FORMAT = 1
PACKAGE = "gan808.engine"
MAX_FILE_BYTES = 16 << 20
log = logging.getLogger("gan808")
# The routines of each module; their code stays, as a callback may run for as long as the process.
_LOADED: dict[str, dict[str, int]] = {}
_OWNERS: list[Any] = []  # llvmlite's engines take their code along when they go


@dataclass(frozen=True)
class ObjectCode:
    """Relocatable machine code, and the symbol of each routine in it."""

    symbols: dict[str, str]
    code: bytes


def addresses(module: str, sources: Sequence[str]) -> dict[str, int]:
    """The addresses of the routines of a module of this package, by name; valid for ever.

    The module has ROUTINES, {name: (numba signature, function)}; it is imported only when they have
    to be compiled. sources: the modules of this package they are compiled from.
    """
    if module not in _LOADED:
        _LOADED[module] = _kept_or_compiled(module, key_of(sources))
    return _LOADED[module]


def key_of(sources: Sequence[str]) -> str:
    """What compiled routines depend on, in 64 hexadecimal digits; another value, other code."""
    digest = hashlib.sha256(repr((
        FORMAT, _numba_mark(), llvmlite.__version__, *_host(), _numba_settings(),
    )).encode())
    for name in ("jit.object_cache", "jit.compiling", *sources):
        digest.update(source_file(name).read_bytes())
    return digest.hexdigest()


def source_file(module: str) -> Path:
    """The source of a module of this package, named as in `kernels.voices`."""
    return Path(__file__).parents[1].joinpath(*module.split(".")).with_suffix(".py")


def numba_version_file() -> Path | None:
    """What tells numba's versions apart, found without importing it."""
    found = importlib.util.find_spec("numba")
    origin = Path(found.origin).with_name("_version.py") if found and found.origin else None
    return origin if origin and origin.is_file() else None


def _numba_mark() -> str:
    file = numba_version_file()
    return "" if file is None else file.read_text(encoding="utf-8")


def _host() -> tuple[tuple[int, ...], str, str, str]:
    """LLVM's version, what this process runs on, the processor, what it can."""
    return (llvm.llvm_version_info, llvm.get_process_triple(), llvm.get_host_cpu_name(),
            llvm.get_host_cpu_features().flatten())


def _numba_settings() -> list[tuple[str, str]]:
    """Settings in the environment that change what numba generates."""
    return sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_"))


def _kept_or_compiled(module: str, key: str) -> dict[str, int]:
    """The address of each routine: linked from a file, or compiled and written to one."""
    files = [folder / f"{module}-{key[:16]}.bin" for folder in paths.compiled_folders()]
    for path in files:
        if (kept := read(path, key)) is not None:
            return _link(kept)
    compiling: Any = importlib.import_module(f"{PACKAGE}.jit.compiling")
    compiled = compiling.compiled_routines(importlib.import_module(f"{PACKAGE}.{module}"))
    fresh: ObjectCode | None = compiling.object_code(compiled)
    if fresh is None:  # this numba has no way to its object code: run what it has compiled itself
        _OWNERS.append(compiled)
        return {name: int(routine.address) for name, routine in compiled.items()}
    for path in files:
        if write(path, key, fresh):
            break
    return _link(fresh)


def read(path: Path, key: str) -> ObjectCode | None:
    """What `write` wrote under this key; None when it is missing, stale or damaged."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        head, _, code = path.read_bytes().partition(b"\n")
        said = from_json(head)
        whole = said["key"] == key and said["digest"] == hashlib.sha256(code).hexdigest()
        symbols = {str(name): str(symbol) for name, symbol in said["symbols"].items()}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.info("%s: kept code cannot be used: %s", path, error)
        return None
    return ObjectCode(symbols, code) if whole else None


def write(path: Path, key: str, compiled: ObjectCode) -> bool:
    """Keep code, whole or not at all; False where that is not possible."""
    head = json.dumps({"key": key, "digest": hashlib.sha256(compiled.code).hexdigest(),
                       "symbols": compiled.symbols}).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, head + b"\n" + compiled.code)
    except OSError as error:
        log.info("%s: compiled code was not kept: %s", path, error.strerror)
        return False
    return True


def _link(compiled: ObjectCode) -> dict[str, int]:
    """Make code ready to run: the address of each routine."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3,
        reloc="default", codemodel="jitdefault", jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(compiled.code))
    engine.finalize_object()
    _OWNERS.append(engine)
    return {name: int(engine.get_function_address(symbol))
            for name, symbol in compiled.symbols.items()}
