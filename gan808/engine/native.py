"""Compiled routines kept on disk as object code: a start that finds them needs no numba.

numba takes half a second to import and to load from its own cache; LLVM alone loads the same code
in a few milliseconds (linking.py). Owns the code that runs, and one file a module of routines. Any
thread.

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
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite

from gan808 import places
from gan808.engine.linking import Linker, LinkError, library_path
from gan808.storage import atomic

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
        _LOADED[module] = _link(object_code(module, sources))
    return _LOADED[module]


def adopt(module: str, routines: dict[str, int]) -> None:
    """Have `addresses` give these, which something before us has loaded and already runs."""
    _LOADED.setdefault(module, routines)


def object_code(module: str, sources: Sequence[str]) -> ObjectCode:
    """The code of such a module, kept or compiled."""
    return _kept_or_compiled(module, key_of(sources))


def key_of(sources: Sequence[str]) -> str:
    """What compiled routines depend on, in 64 hexadecimal digits; another value, other code."""
    digest = hashlib.sha256(repr((
        FORMAT, _numba_mark(), llvmlite.__version__, *_host(), _numba_settings(),
    )).encode())
    for name in ("native", "compiling", *sources):
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def numba_version_file() -> Path | None:
    """What tells numba's versions apart, found without importing it."""
    found = importlib.util.find_spec("numba")
    origin = Path(found.origin).with_name("_version.py") if found and found.origin else None
    return origin if origin and origin.is_file() else None


def _numba_mark() -> str:
    file = numba_version_file()
    return "" if file is None else file.read_text(encoding="utf-8")


@cache
def linker() -> Linker | None:
    """The quick way to LLVM; None where llvmlite's own has to do."""
    path = library_path()
    try:
        return None if path is None else Linker(path)
    except LinkError as error:
        log.info("%s: %s; llvmlite loads the code", path, error)
        return None


def _host() -> tuple[tuple[int, ...], str, str, str]:
    """LLVM's version, what this process runs on, the processor, what it can."""
    if (quick := linker()) is not None:
        return quick.version, quick.triple, quick.processor, quick.features
    import llvmlite.binding as llvm

    return (llvm.llvm_version_info, llvm.get_process_triple(), llvm.get_host_cpu_name(),
            llvm.get_host_cpu_features().flatten())


def _numba_settings() -> list[tuple[str, str]]:
    """Settings in the environment that change what numba generates."""
    return sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_"))


def _kept_or_compiled(module: str, key: str) -> ObjectCode:
    paths = [folder / f"{module}-{key[:16]}.bin" for folder in places.compiled_folders()]
    for path in paths:
        if (kept := read(path, key)) is not None:
            return kept
    compiling: Any = importlib.import_module(f"{PACKAGE}.compiling")
    fresh: ObjectCode = compiling.compiled_routines(importlib.import_module(f"{PACKAGE}.{module}"))
    for path in paths:
        if write(path, key, fresh):
            break
    return fresh


def read(path: Path, key: str) -> ObjectCode | None:
    """What `write` wrote under this key; None when it is missing, stale or damaged."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        head, _, code = path.read_bytes().partition(b"\n")
        said = json.loads(head)
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
    if (quick := linker()) is not None:
        try:
            return quick.addresses(compiled.code, compiled.symbols)
        except LinkError as error:
            log.info("%s; llvmlite loads the code", error)
    import llvmlite.binding as llvm

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
