"""Numba intrinsics that call C functions by their addresses, for callbacks that use a C library.

Owns nothing. An address is a value, not a symbol: numba would not cache code with a baked-in one.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba import types as numba_types
from numba.core import cgutils as numba_cgutils
from numba.extending import intrinsic

from gan808.engine.layout import MEMORY

types: Any = numba_types
cgutils: Any = numba_cgutils
typed_intrinsic: Any = intrinsic


@typed_intrinsic
def call_c(typing_context: Any, address: Any, arguments: Any, result: Any) -> Any:
    """What the C function at an address returns for a tuple of arguments.

    Types are those of the values given: np.uint32 is a uint32_t, an int64 also stands for a
    pointer or size_t of 64 bits. result is any value of the type that is returned.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        given = [context.get_value_type(each) for each in arguments]
        function_type = ir.FunctionType(context.get_value_type(result), given)
        function = builder.inttoptr(values[0], function_type.as_pointer())
        return builder.call(function, cgutils.unpack_tuple(builder, values[1], len(arguments)))

    return result(types.int64, arguments, result), generate


def _to_pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))


@typed_intrinsic
def bytes_at(typing_context: Any, address: Any) -> Any:
    """The uint8 pointer of an integer address."""
    return types.CPointer(types.uint8)(types.int64), _to_pointer


@typed_intrinsic
def int64_at(typing_context: Any, address: Any) -> Any:
    """The int64 pointer of an integer address."""
    return types.CPointer(types.int64)(types.int64), _to_pointer


@typed_intrinsic
def floats_at(typing_context: Any, address: Any) -> Any:
    """The float32 pointer of an integer address."""
    return types.CPointer(types.float32)(types.int64), _to_pointer


@typed_intrinsic
def memory_at(typing_context: Any, address: Any) -> Any:
    """The pointer of an engine's memory at an integer address."""
    return types.CPointer(numba.from_dtype(MEMORY))(types.int64), _to_pointer
