"""Teaches a running GAN-808 a control over OSC.

Used by `gan808 learn`, on the main thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from gan808.columns import columns
from gan808.control.osc.client import OscClient
from gan808.control.osc.status_client import TIMEOUT_S
from gan808.errors import ConfigError, Gan808Error

ROOT = "/gan808"
DONE, FAIL, LEARNED, LIST = (f"{ROOT}/{name}" for name in ("done", "fail", "learned", "learn/list"))


class LearnClient:
    """What is asked and told in one conversation with the daemon."""

    def __init__(self, client: OscClient) -> None:
        self._client = client

    def begin(self, target: str) -> str:
        """The target as the daemon names it, which now waits for a control to be moved.

        Raises Gan808Error with what the daemon says of it, DeviceError where there is none.
        """
        self._ask("/notify", 1)
        return str(self._ask("/learn", target)[0])

    def learned(self, target: str, timeout_s: float) -> str | None:
        """The control that moves the target from now on; None when none was moved in time."""
        deadline_s = time.monotonic() + timeout_s
        while (message := self._client.receive(deadline_s)) is not None:
            if message.address == LEARNED and list(message.params)[1:] == [target]:
                return str(message.params[0])
        return None

    def end(self) -> None:
        """Wait for no control any more, hear no more events; says nothing if nobody is there."""
        self._send("/learn/cancel")
        self._send("/notify", 0)

    def forget(self, control: str) -> int:
        """How many controls were unlearned. Raises Gan808Error where none was learned."""
        return int(self._ask("/learn/forget", control)[0])

    def everything(self) -> list[tuple[str, str]]:
        """Control and target of everything learned."""
        values = self._ask("/learn/list")
        return [(str(a), str(b)) for a, b in zip(values[::2], values[1::2], strict=True)]

    def _ask(self, address: str, *values: object) -> list[Any]:
        """The values of the answer, without the address that /done repeats."""
        self._send(address, *values)
        deadline_s = time.monotonic() + TIMEOUT_S
        while (message := self._client.receive(deadline_s)) is not None:
            params = list(message.params)
            if message.address == FAIL and params[:1] == [ROOT + address]:
                raise Gan808Error(str(params[1]))
            if message.address == DONE and params[:1] == [ROOT + address]:
                return params[1:]
            if message.address == LIST == ROOT + address:
                return params
        raise self._client.nobody()

    def _send(self, address: str, *values: object) -> None:
        self._client.send(ROOT + address, *values)


def learning(
    host: str, port: int, target: str | None, show: bool, forget: str | None, wait_s: float
) -> Iterator[str]:
    """What `gan808 learn` does and says, line by line. Raises Gan808Error."""
    if (target is not None) + show + (forget is not None) != 1:
        raise ConfigError("give an address to learn, or --list, or --forget WHAT")
    with OscClient(host, port) as conversation:
        client = LearnClient(conversation)
        if forget is not None:
            count = client.forget(forget)
            yield f"forgotten: {count} control{'' if count == 1 else 's'}"
        elif target is None:
            yield from columns(client.everything()) or ["nothing was learned"]
        else:
            yield from _taught(client, target, wait_s)


def _taught(client: LearnClient, target: str, wait_s: float) -> Iterator[str]:
    target = client.begin(target)
    try:
        yield f"move the control for {target}; Ctrl-C gives up"
        control = client.learned(target, wait_s)
    finally:
        client.end()
    if control is None:
        raise Gan808Error(f"no control was moved in {wait_s:g} s: is it on a MIDI port of the "
                          "running GAN-808? `gan808 devices` lists them")
    yield f"{control} moves {target} from now on"
