"""Datagrams to messages: every type tag, bundles in bundles, and whatever else may arrive."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle

from gan808.control.osc.packets import MAX_DEPTH, PacketError, build_message, read_packet
from tests.control.rig import bundle, message

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


def test_every_type_of_osc_1_0_is_read() -> None:
    sent = message("/x", ("i", -7), ("f", 0.5), ("s", "bd"), ("T", True), ("F", False),
                   ("d", 0.1), ("h", 2**40))
    (received,) = read_packet(sent.dgram)
    assert received.address == "/x"
    assert received.arguments == (-7, 0.5, "bd", True, False, 0.1, 2**40)
    assert received.due_unix_s is None


def test_a_message_without_type_tags_has_no_arguments() -> None:
    (received,) = read_packet(b"/hello\0\0")
    assert received.arguments == ()


def test_a_button_s_impulse_and_nil_are_no_arguments() -> None:
    """OSC 1.1 has both; python-osc writes no I."""
    nil = message("/x", ("i", 5), ("N", None), ("s", "bd")).dgram
    assert read_packet(nil)[0].arguments == (5, "bd")
    assert read_packet(nil.replace(b",iNs", b",iIs"))[0].arguments == (5, "bd")
    assert read_packet(b"/bang\0\0\0,I\0\0")[0].arguments == ()


@pytest.mark.parametrize(("tag", "value"), [("b", b"blob"), ("m", (1, 2, 3, 4))])
def test_other_types_are_refused_by_name(tag: str, value: object) -> None:
    with pytest.raises(PacketError, match=f"type '{tag}' is not accepted") as refused:
        read_packet(message("/gan808/trig", (tag, value)).dgram)
    assert refused.value.address == "/gan808/trig"


def test_bundles_keep_their_own_time_tags() -> None:
    inner = OscBundle(bundle(1_800_000_002.5, message("/inner")))
    received = read_packet(bundle(1_800_000_001.25, message("/a"), inner, message("/b")))
    assert [r.address for r in received] == ["/a", "/inner", "/b"]
    assert [r.due_unix_s for r in received] == [1_800_000_001.25, 1_800_000_002.5, 1_800_000_001.25]


def test_the_tag_for_at_once_is_no_time() -> None:
    assert read_packet(bundle(0, message("/a")))[0].due_unix_s is None


@pytest.mark.parametrize("size", [-4, 0, 3, 400, -2**31])
def test_an_element_of_impossible_size_is_refused(size: int) -> None:
    """python-osc's own bundle reader never comes back from the first of these."""
    data = b"#bundle\0" + struct.pack(">Qi", 1, size) + message("/a").dgram
    with pytest.raises(PacketError, match="impossible size"):
        read_packet(data)


def test_bundles_nest_only_so_deep() -> None:
    data = message("/a").dgram
    for _ in range(MAX_DEPTH):
        data = b"#bundle\0" + struct.pack(">Qi", 1, len(data)) + data
    assert [r.address for r in read_packet(data)] == ["/a"]
    for _ in range(2000):
        data = b"#bundle\0" + struct.pack(">Qi", 1, len(data)) + data
    with pytest.raises(PacketError, match="nested"):
        read_packet(data)


@given(st.binary(max_size=300))
def test_no_bytes_surprise(data: bytes) -> None:
    for prefix in (b"", b"/", b"/gan808/trig\0\0\0\0", b"#bundle\0" + bytes(8)):
        try:
            received = read_packet(prefix + data)
        except PacketError as error:
            assert "\n" not in str(error)
        else:
            assert all(isinstance(r.address, str) for r in received)


@given(st.data())
def test_a_damaged_packet_is_refused_or_read(data: st.DataObject) -> None:
    whole = bytearray(bundle(1e9, message("/gan808/trig", "BD", 0.5), message("/gan808/stop")))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[:data.draw(st.integers(0, len(whole)))])
    try:
        assert len(read_packet(cut)) <= 2
    except PacketError as error:
        assert str(error)


@given(TEXT, st.lists(st.integers(-2**31, 2**31 - 1) | TEXT, max_size=6))
def test_what_is_built_is_read_back(address: str, values: list[int | str]) -> None:
    (received,) = read_packet(build_message("/" + address, values))
    assert received.address == "/" + address
    assert list(received.arguments) == values
