"""`gan808 panel` finds the instrument that runs, on whichever port."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gan808.control.web.address import find, tell
from gan808.errors import DeviceError


def test_what_was_told_is_found_until_it_is_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "state" / "panel"
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(
            ("127.0.0.1", 0)) as second:
        urls = [f"http://127.0.0.1:{server.getsockname()[1]}/panel/" for server in (first, second)]
        assert find(file, urls[1]) == urls[1], "nothing was told"
        take_back = tell(file, urls[0])
        assert find(file, urls[1]) == urls[0]
        first.close()
        assert find(file, urls[1]) == urls[1], "what was told is served no more"
        tell(file, urls[1])
        take_back()
        assert file.read_text() == urls[1], "another's stays"
    with pytest.raises(DeviceError, match="gan808 run"):
        find(file, urls[0])


@pytest.mark.parametrize(
    "told", [b"\xff", b"javascript:alert(1)", b"http://[", b"file:///etc", b""])
def test_what_is_no_address_is_passed_over(tmp_path: Path, told: bytes) -> None:
    (tmp_path / "panel").write_bytes(told)
    with pytest.raises(DeviceError):
        find(tmp_path / "panel", "http://127.0.0.1:1/panel/")
