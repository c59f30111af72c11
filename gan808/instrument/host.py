"""What the program around the machine tells it and does for it. Given when the machine is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gan808.sequencer.jack_sync import JackTransportLike
from gan808.sequencer.sync import LinkLike


def _nothing_open() -> list[str]:
    return []


def _not_kept() -> str:
    return "not kept"


def _forget(learned: Mapping[str, str]) -> None:
    del learned


@dataclass(frozen=True, slots=True)
class Host:
    """output: what it plays on, in a line. midi_ports: (port, last message) in turn. state:
    whether the next start goes on from here. open_link(tempo_bpm) joins an Ableton Link session,
    open_jack(lead) JACK's transport; None where nobody can. learned: controls of an earlier run;
    keep_learned: writes them, on the disk's thread. The first three are asked on the machine thread
    and return at once.
    """

    output: Callable[[], str] = str
    midi_ports: Callable[[], list[str]] = _nothing_open
    state: Callable[[], str] = _not_kept
    open_link: Callable[[float], LinkLike] | None = None
    open_jack: Callable[[bool], JackTransportLike] | None = None
    learned: Mapping[str, str] = field(default_factory=dict)
    keep_learned: Callable[[Mapping[str, str]], None] = _forget
