"""LANES float32 numbers as one value inside numba functions: a vector of the processor.

LLVM does not find such vectors by itself in a butterfly that works in place; here they are said
outright, and it cuts them to the registers there are (AVX-512, AVX2, NEON). How many numbers are
one value follows from the registers: a butterfly of four holds eight values and some, and what
they have no room for goes to memory and back. Every operation rounds as IEEE 754 says: nothing is
fused, reordered or estimated, so every processor gives the same bits. (What fast-math makes of
x / sqrt(y) is an estimate that differs from maker to maker; it is no faster here.) Compile-time
only; no thread runs this module.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic, models, overload, register_model

# The processor numba compiles for, whatever was told of it (NUMBA_CPU_NAME).
_COMPILES_FOR = cpu_target.target_context.codegen().magic_tuple()
LANES = 16 if "+avx512f" in str(_COMPILES_FOR) else 8
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_FLOAT_BYTES = 4


class Lanes(types.Type):
    """numba's type of such a value."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{LANES}")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _VECTOR)


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """load(float32 (n,), index): array[index : index + LANES]. Nothing checks the bounds."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(_address(context, builder, signature.args[0], *args))
        value.align = _FLOAT_BYTES
        return value

    return lanes(array, types.intp), build


@intrinsic
def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """store(float32 (n,), index, lanes): array[index : index + LANES] = lanes, unchecked."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        written = builder.store(
            args[2], _address(context, builder, signature.args[0], args[0], args[1])
        )
        written.align = _FLOAT_BYTES
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), build


@intrinsic
def splat(typing: Any, value: Any) -> Any:
    """splat(float32): that number in every lane."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(32)
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(nothing, args[0], ir.Constant(word, 0))
        order = ir.Constant(ir.VectorType(word, LANES), [0] * LANES)
        return builder.shuffle_vector(first, nothing, order)

    return lanes(types.float32), build


@intrinsic
def sqrt(typing: Any, value: Any) -> Any:
    """sqrt(lanes): the root of each."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        root = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}f32")
        return builder.call(root, [args[0]])

    return lanes(lanes), build


def _instruction(name: str) -> Any:
    @intrinsic
    def apply(typing: Any, a: Any, b: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(args[0], args[1])

        return lanes(lanes, lanes), build

    return apply


def _give_operator(symbol: Any, instruction: Any) -> None:
    @overload(symbol)
    def typed(a: Any, b: Any) -> Any:
        def both(a: Any, b: Any) -> Any:
            return instruction(a, b)

        return both if isinstance(a, Lanes) and isinstance(b, Lanes) else None


for _symbol, _name in (
    (operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _give_operator(_symbol, _instruction(_name))
