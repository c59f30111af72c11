"""Two threads that meet at every instruction: what they share must bear it, whatever the timing.

No clock and no chance is in it. The first thread stops before an instruction, the second does all
of its work, the first goes on; then the same with the next instruction, until there is none left.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import CodeType, FrameType, FunctionType
from typing import Any

Work = Callable[[], object]
LONGEST_S = 60.0


def meet_at_every_instruction(
    within: tuple[Callable[..., Any], ...], begin: Callable[[], tuple[Work, Work, Work]]
) -> int:
    """begin() makes (first, second, check) anew for each meeting. first runs on one thread and
    stops before an instruction of the functions `within`; second then runs on another to its end;
    check is called when both have ended. Returns how many meetings there were."""
    codes = {code for function in within for code in _codes(_code(function))}
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        for place in itertools.count():
            first, second, check = begin()
            met: list[Future[object]] = []
            one.submit(_stopped, codes, place, first,
                       lambda second=second, met=met: met.append(_done(other, second))).result()
            if not met:
                return place
            assert met[0].done(), "the second waits for the first"
            met[0].result()
            check()
    raise AssertionError


def _done(executor: ThreadPoolExecutor, work: Work) -> Future[object]:
    future = executor.submit(work)
    wait([future], LONGEST_S)
    return future


def _stopped(codes: set[CodeType], place: int, work: Work, meanwhile: Work) -> None:
    """Do the work, and before its instruction number `place` what comes meanwhile."""
    instructions = itertools.count()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code not in codes:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and next(instructions) == place:
            meanwhile()
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """With those of the functions and generators within."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _code(function: Callable[..., Any]) -> CodeType:
    assert isinstance(function, FunctionType)
    return function.__code__
