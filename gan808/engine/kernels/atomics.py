"""Numba intrinsics the callback needs: acquire and release, raw pointers, the system's clock.

Owns nothing. Used inside the callback, and by Python through `load` and `store` of the kernel.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types as numba_types
from numba.core import cgutils as numba_cgutils
from numba.extending import intrinsic

# numba's own annotations are partial, and callers pass an argument less than an intrinsic names.
types: Any = numba_types
cgutils: Any = numba_cgutils
typed_intrinsic: Any = intrinsic

WORD_BYTES = 8


def _element_pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    view = context.make_array(array_type)(context, builder, array)
    return cgutils.get_item_pointer(context, builder, array_type, view, [index])


@typed_intrinsic
def load_acquire(typing_context: Any, array: Any, index: Any) -> Any:
    """array[index] of a 1-D array of 8-byte elements; nothing after it is read before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _element_pointer(context, builder, array, *arguments)
        element = context.get_data_type(array.dtype)
        return builder.load_atomic(pointer, "acquire", WORD_BYTES, typ=element)

    return array.dtype(array, types.intp), generate


@typed_intrinsic
def store_release(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """array[index] = value for 8-byte elements; nothing before it is written after it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _element_pointer(context, builder, array, *arguments[:2])
        builder.store_atomic(arguments[2], pointer, "release", WORD_BYTES)
        return context.get_dummy_value()

    return types.none(array, types.intp, array.dtype), generate


@typed_intrinsic
def float32_at(typing_context: Any, address: Any) -> Any:
    """The float32 pointer of an integer address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.float32)(types.int64), generate


@typed_intrinsic
def clock_gettime_s(typing_context: Any, address: Any, clock_id: Any) -> Any:
    """Seconds of a POSIX clock, through the address of the C library's clock_gettime.

    The address is a value, not a symbol: numba would not cache code with a baked-in pointer.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word, double = ir.IntType(64), ir.DoubleType()
        timespec = cgutils.alloca_once(builder, ir.ArrayType(word, 2))
        first = builder.bitcast(timespec, word.as_pointer())
        call_type = ir.FunctionType(ir.IntType(32), [ir.IntType(32), word.as_pointer()])
        function = builder.inttoptr(arguments[0], call_type.as_pointer())
        builder.call(function, [builder.trunc(arguments[1], ir.IntType(32)), first])
        second = builder.gep(first, [ir.Constant(ir.IntType(32), 1)])
        whole = builder.sitofp(builder.load(first), double)
        part = builder.sitofp(builder.load(second), double)
        return builder.fadd(whole, builder.fmul(part, ir.Constant(double, 1e-9)))

    return types.float64(types.int64, types.int64), generate
