"""The instrument as a sample map: Strudel's format, reading from any page and nothing else, ranges,
ETags, and addresses that are always new."""

from __future__ import annotations

import http.client
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
import soundfile

from gan808.instrument.commands.stock import LEFT
from tests.control.rig import Client, Rig, until
from tests.control.web.rig import Served
from tests.fakes import fake_sound

KICKS = range(50, 60)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        rig.stock("kick", *KICKS)
        yield rig


@pytest.fixture
def served(rig: Rig) -> Iterator[Served]:
    with Served(rig.osc.address) as server:
        yield server


def ask(server: Served, target: str, method: str = "GET", **headers: str) -> tuple[
        int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, target, headers={n.replace("_", "-"): v for n, v in headers.items()})
    answer = connection.getresponse()
    result = answer.status, answer.headers, answer.read()
    connection.close()
    return result


def sample_map(server: Served) -> dict[str, Any]:
    status, headers, body = ask(server, "/strudel.json", Origin="https://strudel.cc")
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
    listing: dict[str, Any] = json.loads(body)
    return listing


def path_of(listing: dict[str, Any], file: str, server: Served) -> str:
    url = urljoin(listing["_base"], file)
    assert url.startswith(f"http://127.0.0.1:{server.port}/")
    return url.removeprefix(f"http://127.0.0.1:{server.port}")


def test_every_file_of_the_map_is_the_sound_of_its_id(rig: Rig, served: Served) -> None:
    listing = sample_map(served)
    present = rig.machine.swaps.sound(0)
    assert listing["bd"] == [f"{s}.wav" for s in (
        present.id, *(f"fake/kick/{seed}" for seed in KICKS))]
    for file, seed in zip(listing["bd"][1:], KICKS, strict=True):
        status, headers, body = ask(served, path_of(listing, file, served))
        assert (status, headers["Content-Type"]) == (200, "audio/wav")
        audio, rate = soundfile.read(io.BytesIO(body), dtype="float64")
        assert rate == 48000
        np.testing.assert_allclose(audio, (1 + seed * 37 % 997) / 1024, atol=2 ** -15)


def test_only_reading_is_open_to_other_pages(rig: Rig, served: Served) -> None:
    elsewhere = {"Origin": "https://strudel.cc"}
    status, headers, _ = ask(served, "/strudel.json", "OPTIONS", **elsewhere)
    assert (status, headers["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")
    assert headers["Access-Control-Allow-Private-Network"] == "true"
    assert ask(served, "/strudel.json", "POST", **elsewhere)[0] == 405
    assert ask(served, "/samples/fake/kick/50.wav", "PUT", **elsewhere)[0] == 405
    assert ask(served, "/strudel.json", Host="evil.example")[0] == 403
    for target in ("/gan808/pool", "/panel/"):
        assert ask(served, target, **elsewhere)[1]["Access-Control-Allow-Origin"] is None
        assert ask(served, target, "OPTIONS", **elsewhere)[0] == 405


def test_a_sound_is_fetched_once_and_in_parts(rig: Rig, served: Served) -> None:
    target = "/samples/fake/kick/50.wav"
    _, headers, whole = ask(served, target)
    assert "immutable" in headers["Cache-Control"]
    assert ask(served, "/samples/fake/kick/51.wav")[1]["ETag"] != headers["ETag"]
    again = ask(served, target, If_None_Match=headers["ETag"])
    assert (again[0], again[2]) == (304, b"")
    part = ask(served, target, Range="bytes=10-19")
    assert (part[0], part[2]) == (206, whole[10:20])
    assert part[1]["Content-Range"] == f"bytes 10-19/{len(whole)}"
    assert ask(served, target, Range="bytes=-4")[2] == whole[-4:]
    assert ask(served, target, Range=f"bytes={len(whole)}-")[0] == 416
    assert ask(served, target, Range="bytes=0-3", If_Range='"another"')[0] == 200
    assert ask(served, target, Range="lines=1-2")[0] == 200
    head = ask(served, target, "HEAD")
    assert (head[0], head[1]["Content-Length"], head[2]) == (200, str(len(whole)), b"")


def test_what_has_gone_is_404(rig: Rig, served: Served) -> None:
    for target in ("/samples/fake/kick/9999.wav", "/samples/", "/samples/../x",
                   "/samples/new/XX/1.wav", "/samples/new/BD", "/samples/%00.wav",
                   "/samples/a.wav.wav"):
        expected = (302, 404) if target.endswith("BD") else (400, 404)
        assert ask(served, target)[0] in expected, target


def test_a_new_address_is_always_another_sound_until_few_are_left(rig: Rig, served: Served) -> None:
    listing = sample_map(served)
    assert not set(listing["bd_new"]) & set(sample_map(served)["bd_new"])
    taken = []
    for file in listing["bd_new"][:len(KICKS) - LEFT]:
        status, headers, _ = ask(served, path_of(listing, file, served))
        assert (status, headers["Cache-Control"]) == (302, "no-store")
        assert ask(served, headers["Location"])[0] == 200
        taken.append(headers["Location"])
    assert len(set(taken)) == len(taken)
    assert rig.pool.stock()["kick"] == LEFT
    rest = {ask(served, "/samples/new/bd/x.wav")[1]["Location"] for _ in range(10)}
    assert len(rest) == LEFT + 1
    assert rig.pool.stock()["kick"] == LEFT
    assert all(command.name != "trigger" for command in rig.played("machine"))


def test_the_list_fits_one_datagram(rig: Rig) -> None:
    long = "+1@0.5" * 400
    for seed in range(10, 20):
        rig.pool.put(fake_sound("snare", seed, trail=long))
    with Client(rig) as client:
        answer = client.ask("/gan808/pool/sounds")
    assert answer[0] == "/gan808/pool/sounds"
    assert 0 < sum(map(len, answer)) < 50_000


def test_a_page_from_elsewhere_plays_them_in_a_browser(
    rig: Rig, served: Served, browser: Any
) -> None:
    """What Strudel does: fetch the map, fetch a file of it, decode it."""
    script = """async (url) => {
        const map = await (await fetch(url)).json();
        const audio = new OfflineAudioContext(1, 1, 48000);
        const read = async (name) => (await audio.decodeAudioData(await (
            await fetch(map._base + map[name][1])).arrayBuffer())).getChannelData(0)[0];
        return [await read("bd"), await read("bd_new"), await read("bd_new")];
    }"""
    page = browser.new_page()
    heard = page.evaluate(script, f"http://127.0.0.1:{served.port}/strudel.json")
    page.close()
    levels = {(1 + seed * 37 % 997) / 1024 for seed in KICKS}
    assert all(min(abs(one - level) for level in levels) < 1e-3 for one in heard)
    until(lambda: rig.pool.stock()["kick"] == len(KICKS) - 2)
