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
    (refused,) = read_packet(message("/gan808/trig", (tag, value)).dgram)
    assert isinstance(refused, PacketError)
    assert f"type '{tag}' is not accepted" in str(refused)
    assert refused.address == "/gan808/trig"


def test_a_symbol_is_a_text() -> None:
    """Max and older programs send S."""
    (received,) = read_packet(message("/gan808/trig", "BD", 0.5).dgram.replace(b",sf", b",Sf"))
    assert received.arguments == ("BD", 0.5)


@pytest.mark.parametrize("damaged", [
    message("/b", ("b", b"blob")).dgram, b"/b\xff\0,s\0\0BD\0\0", b"/b\0\0,s\0\0\xff\xff\0\0",
    b"what\0\0\0\0", b"#bundle\0\0\0\0\0",
    b"#bundle\0" + struct.pack(">Qi", 1, 400)])
def test_only_what_is_damaged_falls(damaged: bytes) -> None:
    """Of a bundle the others stay, those after it too."""
    good = [message(address).dgram for address in ("/a", "/c")]
    parts = [good[0], damaged, good[1]]
    data = b"#bundle\0" + struct.pack(">Q", 1) + b"".join(
        struct.pack(">i", len(part)) + part for part in parts)
    first, refused, last = read_packet(data)
    assert (first.address, last.address) == ("/a", "/c")
    assert isinstance(refused, PacketError)


def test_what_came_before_a_bundle_breaks_off_stays() -> None:
    data = bundle(0, message("/a"), message("/b"), message("/c"))
    first, refused = read_packet(data[:-12])[:1], read_packet(data[:-4])[-1]
    assert first[0].address == "/a"
    assert "impossible size" in str(refused)


def test_bundles_keep_their_own_time_tags() -> None:
    inner = OscBundle(bundle(1_800_000_002.5, message("/inner")))
    received = read_packet(bundle(1_800_000_001.25, message("/a"), inner, message("/b")))
    assert [r.address for r in received] == ["/a", "/inner", "/b"]
    assert [r.due_unix_s for r in received] == [1_800_000_001.25, 1_800_000_002.5, 1_800_000_001.25]


def test_the_tag_for_at_once_is_no_time() -> None:
    assert read_packet(bundle(0, message("/a")))[0].due_unix_s is None
    never = b"#bundle\0" + struct.pack(">Qi", 0, 4) + b"/a\0\0"
    assert read_packet(never)[0].due_unix_s is None


@pytest.mark.parametrize("size", [-4, 0, 3, 400, -2**31])
def test_an_element_of_impossible_size_is_refused(size: int) -> None:
    """python-osc's own bundle reader never comes back from the first of these."""
    data = b"#bundle\0" + struct.pack(">Qi", 1, size) + message("/a").dgram
    (refused,) = read_packet(data)
    assert "impossible size" in str(refused)


def test_bundles_nest_only_so_deep() -> None:
    data = message("/a").dgram
    for _ in range(MAX_DEPTH):
        data = b"#bundle\0" + struct.pack(">Qi", 1, len(data)) + data
    assert [r.address for r in read_packet(data)] == ["/a"]
    for _ in range(2000):
        data = b"#bundle\0" + struct.pack(">Qi", 1, len(data)) + data
    (refused,) = read_packet(data)
    assert "nested" in str(refused)


@given(st.binary(max_size=300))
def test_no_bytes_surprise(data: bytes) -> None:
    for prefix in (b"", b"/", b"/gan808/trig\0\0\0\0", b"#bundle\0" + bytes(8)):
        for each in read_packet(prefix + data):
            assert isinstance(each.address, str)
            assert "\n" not in str(each) or not isinstance(each, PacketError)


@given(st.data())
def test_a_damaged_packet_is_refused_or_read(data: st.DataObject) -> None:
    whole = bytearray(bundle(1e9, message("/gan808/trig", "BD", 0.5), message("/gan808/stop")))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[:data.draw(st.integers(0, len(whole)))])
    assert len(read_packet(cut)) <= 3


@given(TEXT, st.lists(st.integers(-2**31, 2**31 - 1) | TEXT, max_size=6))
def test_what_is_built_is_read_back(address: str, values: list[int | str]) -> None:
    (received,) = read_packet(build_message("/" + address, values))
    assert received.address == "/" + address
    assert list(received.arguments) == values
