"""The handler of a row that is one value of the whole machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gan808.instrument.calls import Answer, Call, Handler
from gan808.instrument.events import Event, ParameterChanged
from gan808.instrument.parameter import Value


def value_handler(
    emit: Callable[[Event], None], put: Callable[[Value], object], get: Callable[[], Value]
) -> Handler:
    """A handler of a row that is one value. A call with an argument sets the value and tells
    everybody; the answer is the value as it is then."""
    return partial(put_and_get, emit, put, get)


def put_and_get(
    emit: Callable[[Event], None], put: Callable[[Value], object], get: Callable[[], Value],
    call: Call,
) -> Answer:
    """What such a handler does, for one that takes more of the call."""
    if call.arguments:
        put(call.arguments[0])
        emit(ParameterChanged(call.command, (get(),)))
    return (get(),)
