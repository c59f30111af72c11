"""OSC datagrams to messages with their time tags, and answers to datagrams. Pure; any thread.

Messages are read and built by python-osc. The bundles around them are walked here: python-osc's
own walk never ends on an element of negative size, has no limit on nesting, skips what it does
not know with a line on the root logger, and forgets which messages were late.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message import ParseError as MessageError
from pythonosc.osc_message_builder import BuildError, OscMessageBuilder
from pythonosc.parsing import ntp, osc_types

from gan808.errors import Gan808Error

BUNDLE = b"#bundle\0"
HEADER_BYTES = 16
MAX_DEPTH = 16
MAX_MESSAGES = 1024
NOTHING = "NI"  # nil, and the impulse that a button sends: no argument
ACCEPTED_TAGS = frozenset("ifhdsSTF" + NOTHING)
_NTP_TO_UNIX_S = -ntp.ntp_time_to_system_epoch(0)


class PacketError(Gan808Error):
    """A datagram that is not OSC; `address` is that of the message it is about, if known."""

    def __init__(self, why: str, address: str = "") -> None:
        super().__init__(why)
        self.address = address


@dataclass(frozen=True, slots=True)
class Received:
    """One message. due_unix_s: its bundle's time tag in seconds since 1970, None = at once."""

    address: str
    arguments: tuple[object, ...]
    due_unix_s: float | None


def read_packet(datagram: bytes) -> list[Received | PacketError]:
    """Every message of a datagram, in order, and in place of what is damaged what is wrong with
    it. A bundle whose elements cannot be told apart ends there."""
    messages = list(islice(_elements(datagram, None, 0), MAX_MESSAGES + 1))
    if len(messages) > MAX_MESSAGES:
        messages[MAX_MESSAGES] = PacketError(f"more than {MAX_MESSAGES} messages in a packet")
    return messages


def _elements(
    data: bytes, due_unix_s: float | None, depth: int
) -> Iterator[Received | PacketError]:
    if data.startswith(b"/"):
        try:
            yield _message(data, due_unix_s)
        except PacketError as error:
            yield error
    elif not data.startswith(BUNDLE):
        yield PacketError("not OSC: a packet begins with / or #bundle")
    elif len(data) < HEADER_BYTES:
        yield PacketError("not OSC: the bundle is cut off")
    elif depth >= MAX_DEPTH:
        yield PacketError(f"bundles nested more than {MAX_DEPTH} deep")
    else:
        due_unix_s = _time_tag(data)
        at = HEADER_BYTES
        while at < len(data):
            (size,) = struct.unpack_from(">i", data, at) if at + 4 <= len(data) else (-1,)
            if size <= 0 or size % 4 or at + 4 + size > len(data):
                yield PacketError("not OSC: a bundle's element has an impossible size")
                return
            yield from _elements(data[at + 4:at + 4 + size], due_unix_s, depth + 1)
            at += 4 + size


def _time_tag(bundle: bytes) -> float | None:
    """Bundle header -> seconds since 1970; None for the tag that means at once. 0 is no time
    either: senders without a clock leave it there."""
    (tag,) = struct.unpack_from(">Q", bundle, len(BUNDLE))
    return None if tag <= 1 else tag / 2**32 - _NTP_TO_UNIX_S


def _message(data: bytes, due_unix_s: float | None) -> Received:
    address = ""
    try:
        address, at = osc_types.get_string(data, 0)
        tags, end = osc_types.get_string(data, at) if at < len(data) else (",", at)
        unknown = sorted(set(tags[1:]) - ACCEPTED_TAGS)
        if tags.startswith(",") and unknown:
            raise PacketError(
                f"argument type {unknown[0]!r} is not accepted; types are "
                + " ".join("ifhdsTF" + NOTHING), address
            )
        # python-osc knows N and warns of I, both without bytes of their own; S is s as well.
        data = data[:at] + data[at:end].replace(b"I", b"N").replace(b"S", b"s") + data[end:]
        values = tuple(value for value in OscMessage(data).params if value is not None)
        return Received(address, values, due_unix_s)
    except (MessageError, osc_types.ParseError, UnicodeDecodeError, IndexError) as error:
        raise PacketError("not OSC: the message is damaged or cut off", address) from error


def build_message(address: str, values: Sequence[object]) -> bytes:
    """A message as a datagram: int -> i, float -> f, str -> s. Raises PacketError."""
    builder = OscMessageBuilder(address=address)
    try:
        for value in values:
            builder.add_arg(value)  # type: ignore[arg-type]
        return bytes(builder.build().dgram)
    except (BuildError, MessageError, osc_types.ParseError, ValueError) as error:
        raise PacketError(f"cannot be sent: {error}", address) from error
