"""Routines into object code with numba: once a machine and version, then `object_cache` keeps it.

Imported only when there is something to compile. Owns nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import llvmlite.binding as llvm
import numba

from gan808.engine.jit.object_cache import ObjectCode

log = logging.getLogger("gan808")

# What numba's code calls to report an exception, or to free memory of its own. Routines raise
# nothing and own nothing, so these lead nowhere; NRT_Allocate and its kind are not among them.
NEVER_CALLED = re.compile(r"NRT_(?:incref|decref|Free|MemInfo_call_dtor)$|numba_|_?Py[A-Z_]")


def compiled_routines(module: ModuleType) -> dict[str, Any]:
    """Every routine of a module's ROUTINES as a numba cfunc, by name."""
    return {name: numba.cfunc(signature, error_model="numpy")(function)
            for name, (signature, function) in module.ROUTINES.items()}


def object_code(routines: Mapping[str, Any]) -> ObjectCode | None:
    """All routines as one object without need of numba; None where this numba does not show it.

    numba has no public way to a cfunc's module or to its target machine. Raises RuntimeError when
    the code allocates, or calls what would not be there without numba.
    """
    try:
        from numba.core.registry import cpu_target

        parts = [llvm.parse_bitcode(routine._library._final_module.as_bitcode())
                 for routine in routines.values()]
        symbols = {name: str(routine._wrapper_name) for name, routine in routines.items()}
        emit_object = cpu_target.target_context.codegen()._tm.emit_object
    except (ImportError, AttributeError) as error:
        log.info("compiled code is not kept: numba %s: %s", numba.__version__, error)
        return None
    whole: Any = parts[0]
    for part in parts[1:]:
        whole.link_in(part)
    whole.link_in(llvm.parse_assembly(_dead_ends(whole)))
    whole.verify()
    for function in whole.functions:
        if function.is_declaration and not function.name.startswith("llvm."):
            raise RuntimeError(f"compiled code calls {function.name}")
    return ObjectCode(symbols, emit_object(whole))


def _dead_ends(module: Any) -> str:
    """Definitions, as LLVM assembly, of what generated code names but never calls."""
    lines = []
    for function in module.functions:
        if not function.is_declaration or not NEVER_CALLED.match(function.name):
            continue
        result, arguments = _signature(str(function.global_value_type))
        value = {"void": "void", "ptr": "ptr null"}.get(result, f"{result} 0")
        lines.append(f"define {result} @{function.name}({arguments}) {{\n  ret {value}\n}}")
    return "\n".join(lines)


def _signature(function_type: str) -> tuple[str, str]:
    """Result and arguments of a function type as LLVM prints it: 'i32 (ptr, i64)'."""
    result, _, arguments = function_type.partition(" (")
    return result, arguments.rstrip(")")
