"""Sound files from pages: whose they may be, how large, under which names, and what becomes of
them."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from gan808.control.web import uploads
from gan808.control.web.uploads import plain_name
from tests.control.rig import Rig, until
from tests.control.web.conftest import OpenPage
from tests.control.web.rig import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Rig() as rig, Served(rig.osc.address, tmp_path / "imports") as server:
        yield server


def post(server: Served, name: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", f"/panel/upload?name={quote(name)}", body, headers)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


@pytest.mark.parametrize(("given", "kept"), [
    ("Kick 01.WAV", "Kick 01.wav"), ("../../.bashrc.wav", "bashrc.wav"),
    ("C:\\x\\snare.flac", "snare.flac"), ("a\0b\nc.wav", "a_b_c.wav"),
    ("gr\u00fcn.ogg", "gr\u00fcn.ogg"), ("memo.M4A", "memo.m4a"),
    ("x" * 300 + ".mp3", "x" * 80 + ".mp3"),
    ("evil.sh", None), ("", None), (".wav", None), ("...", None), ("wav", None), ("a/", None),
])
def test_a_name_is_never_a_path(given: str, kept: str | None) -> None:
    assert plain_name(given) == kept


def test_only_pages_from_here_and_only_so_much(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 1000)
    here = {"Origin": f"http://127.0.0.1:{served.port}"}
    assert post(served, "a.wav", b"x")[0] == 403
    assert post(served, "a.wav", b"x", Origin="http://evil.example")[0] == 403
    assert post(served, "a.wav", b"x", Host="evil.example", **here)[0] == 403
    assert post(served, "a.exe", b"x", **here)[0] == 415
    assert post(served, "a.wav", b"", **here)[0] == 400
    assert post(served, "a.wav", b"x" * 1001, **here)[0] == 413
    assert not (tmp_path / "imports").exists()
    assert post(served, "../a.wav", b"one", **here) == (200, b'{"name": "a.wav"}')
    status, second = post(served, "a.wav", b"two", **here)
    assert status == 200
    kept = {path.name: path.read_bytes() for path in (tmp_path / "imports").iterdir()}
    assert sorted(kept.values()) == [b"one", b"two"]
    assert kept["a.wav"] == b"one", "nothing is replaced"
    assert second != b'{"name": "a.wav"}'


def test_a_file_dropped_onto_a_pad(tmp_path: Path, open_page: OpenPage) -> None:
    """It is brought over and asked for by the name that it got."""
    with Rig() as rig, Served(rig.osc.address, tmp_path) as server:
        page = open_page(server.port)
        page.evaluate("""() => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(100)], "My Kick.wav"));
            document.querySelector('.pad[data-code="BD"]').dispatchEvent(
                new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""")
        page.evaluate("""import('/panel/store.js').then(({ link }) => {
            const { send } = link;
            window.sent = [];
            link.send = (...all) => { window.sent.push(all.join(" ")); send.apply(link, all); };
        })""")
        page.get_by_role("button", name="Play the file").click()
        until(lambda: page.evaluate("window.sent.includes('/slot/BD/load My Kick.wav')"))
        assert (tmp_path / "My Kick.wav").read_bytes() == bytes(100)
