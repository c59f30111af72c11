"""Kits and sounds on the command line: packed, checked, rendered, found again."""

from __future__ import annotations

import json
import shutil
import time
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from gan808.sound.kit.kit import load_kit
from tests.cli.commands import Command, gan808, one_line
from tests.running import Running
from tests.tiny_kit import write_tiny_kit


def test_a_kit_is_packed_added_and_removed(here: Command, tmp_path: Path) -> None:
    kit = write_tiny_kit(tmp_path / "tiny", rendered=True)
    packed = here("kits", "pack", str(kit))
    assert packed.stdout.startswith("tiny.gan808.zip: sha256 ")
    added = here("kits", "add", "tiny.gan808.zip", "--name", "mine")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout.splitlines()[0] == packed.stdout.strip()
    kits = tmp_path / "data" / "gan808" / "kits"
    assert [path.name for path in kits.iterdir()] == ["mine"]
    assert one_line(here("kits", "remove", "gan808")).endswith("and stays")
    assert here("kits", "remove", "mine", "--yes").stdout == f"removed: {kits}/mine\n"
    assert list(kits.iterdir()) == []


def test_kits_are_listed_described_and_checked(
    here: Command, tiny_kit: Path, tmp_path: Path
) -> None:
    kits = tmp_path / "data" / "gan808" / "kits"
    shutil.copytree(tiny_kit, kits / "tiny")
    shutil.copytree(tiny_kit, kits / "torn")
    (kits / "torn" / "kit.toml").write_text("name = 3")
    shutil.copytree(tiny_kit, kits / "cut")
    weights = kits / "cut" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])

    listed = here("kits", "list")
    assert listed.returncode == 0
    assert "tiny" in listed.stdout
    assert "12 classes  16 slots" in listed.stdout
    assert f"broken: {kits}/torn/kit.toml" in listed.stdout

    info = here("kits", "info", "tiny").stdout
    assert "sine waves: 36 sounds, CC0-1.0" in info
    assert "16    CH  Closed Hi-Hat  closed_hat  42 44     choke 1" in info

    whole = here("kits", "verify", str(write_tiny_kit(kits / "fit", rendered=True)))
    assert (whole.returncode, whole.stderr) == (0, "")
    assert whole.stdout == f"{kits}/fit: whole\n"
    (tmp_path / "fit").mkdir()  # a folder of the same name that is no kit
    assert here("kits", "verify", "fit").stdout == "fit: whole\n"
    # "." is a folder, not the name of a kit in any of theirs
    assert one_line(here("kits", "verify", ".")) == (
        "gan808: .: not a kit (kit.toml is missing)")
    cut = here("kits", "verify", "cut")
    assert cut.returncode == 1
    assert "weights.safetensors" in one_line(cut)


def test_render_writes_what_it_was_asked_for_and_the_same_again(
    here: Command, tiny_kit: Path, tmp_path: Path
) -> None:
    """In another process too."""
    def render(command: Command, out: str, *more: str) -> list[Path]:
        result = command("render", "--kit", str(tiny_kit), "--out", out, *more)
        assert (result.returncode, result.stderr) == (0, "")
        files = sorted((tmp_path / out).iterdir())
        assert [line.split("  ")[0] for line in sorted(result.stdout.splitlines())] == [
            f"{out}/{file.name}" for file in files
        ]
        return files

    elsewhere = partial(gan808, tmp_path)
    snares = render(elsewhere, "a", "--class", "snare", "--seed", "9", "--count", "3")
    assert [file.name for file in snares] == [
        "tiny_snare_10.wav", "tiny_snare_11.wav", "tiny_snare_9.wav"
    ]
    again = render(here, "b", "--class", "snare", "--seed", "11", "--count", "1", "--rate", "16000")
    first, rate_hz = soundfile.read(snares[1])
    second, _ = soundfile.read(again[0])
    assert rate_hz == load_kit(tiny_kit).geometry.sample_rate_hz
    np.testing.assert_array_equal(first, second)
    assert 0.1 < np.abs(first).max() <= 1.0
    assert len(render(here, "c", "--class", "all", "--rate", "48000")) == 12


def test_render_goes_on_from_a_sound_and_recalls_what_it_found(
    here: Command, tiny_kit: Path, tmp_path: Path
) -> None:
    def render(out: str, *more: str) -> dict[str, bytes]:
        result = here("render", "--kit", str(tiny_kit), "--out", out, *more)
        assert result.returncode == 0, result.stderr
        files = [Path(line.split("  ")[0]) for line in result.stdout.splitlines()]
        return {file.stem: (tmp_path / file).read_bytes() for file in files}

    snare = ("--class", "snare", "--seed", "9")
    way = render("a", *snare, "--morph", "11", "--count", "3")
    assert list(way) == ["tiny_snare_9", "tiny_snare_9~11@0.5", "tiny_snare_11"]
    assert list(render("b", *snare, "--near", "0.2", "--count", "2")) == [
        "tiny_snare_9+0@0.2", "tiny_snare_9+1@0.2"]
    mixed = render("d", *snare, "--mix", "tom", "--count", "3")
    assert sorted(mixed) == ["tiny_snare+tom@0.5_9", "tiny_snare_9", "tiny_tom_9"]
    assert mixed["tiny_snare_9"] == way["tiny_snare_9"]
    assert render("e", "--id", "tiny/snare+tom@0.5/9") == {
        "tiny_snare+tom@0.5_9": mixed["tiny_snare+tom@0.5_9"]}
    again = render("c", "--id", "tiny/snare/9~11@0.5")
    assert again == {"tiny_snare_9~11@0.5": way["tiny_snare_9~11@0.5"]}
    with soundfile.SoundFile(tmp_path / "c" / "tiny_snare_9~11@0.5.wav") as file:
        assert file.title == "tiny/snare/9~11@0.5"


def test_match_finds_a_sound_and_its_id_recalls_it(
    here: Command, tiny_kit: Path, tmp_path: Path
) -> None:
    kit = ("--kit", str(tiny_kit))
    here("render", *kit, "--class", "snare", "--seed", "5")
    result = here("match", "tiny_snare_5.wav", *kit, "--class", "snare", "--seeds", "16",
                  "--steps", "8", "--out", "found")
    assert result.returncode == 0, result.stderr
    told = result.stderr.splitlines()  # no terminal: how far it is, in lines
    assert told[0].startswith("searching: ")
    assert told[-1].startswith("searching: 100% ")
    nearest = result.stdout.splitlines()[0]
    assert nearest.startswith("found/tiny_snare_5.wav  nearest seed, ")
    assert nearest.endswith(" dB away: tiny/snare/5")
    first, _ = soundfile.read(tmp_path / "tiny_snare_5.wav")
    again, _ = soundfile.read(tmp_path / "found" / "tiny_snare_5.wav")
    np.testing.assert_array_equal(again, first)
    for arguments, said, status in (
        (["gone.wav"], "gone.wav: is no file", 1),
        (["tiny_snare_5.wav", "--class", "gong"], "--class gong: kit tiny has", 2),
    ):
        refused = here("match", *arguments, *kit)
        assert refused.returncode == status
        assert said in one_line(refused)


def test_render_refuses_a_class_the_kit_does_not_have(here: Command, tiny_kit: Path) -> None:
    result = here("render", "--kit", str(tiny_kit), "--class", "gong")
    assert result.returncode == 2
    assert "--class gong: kit tiny has clap," in one_line(result)


def test_status_and_render_agree_with_a_running_daemon(
    here: Command, one_class_kit: Path, tmp_path: Path
) -> None:
    from pythonosc.udp_client import SimpleUDPClient

    options = ["--kit", str(one_class_kit), "--output", "null", "--midi", "off",
               "--osc", "127.0.0.1:0", "--evolve", "3", "--tempo", "93"]
    with Running(tmp_path, *options) as running:
        address = running.introduction()["osc"].removeprefix("udp ")
        port = int(address.rpartition(":")[2])
        table = gan808(tmp_path, "status", "--osc", address)
        assert table.returncode == 0
        assert "808 at 93 BPM" in table.stdout
        assert "3 new sounds a bar" in table.stdout
        answer = json.loads(here("status", "--osc", address, "--json").stdout)
        assert answer["rate"] == 48000
        assert answer["tempo_bpm"] == 93
        assert set(answer["stock"]) == {"kick"}
        assert {"voices", "pool", "load", "peak", "xruns", "latency_ms"} <= set(answer)

        client = SimpleUDPClient("127.0.0.1", port)
        client.send_message("/gan808/evolve", 0.0)
        exported = tmp_path / "data" / "gan808" / "exports" / "mine.wav"
        deadline_s = time.monotonic() + 60
        while not exported.exists():
            assert time.monotonic() < deadline_s, "the sound was not exported"
            client.send_message("/gan808/slot/BD/new", 4711)
            time.sleep(0.2)
            if "kick/4711" in "".join(list(running.out.queue)):
                client.send_message("/gan808/sound/export", ["BD", "mine"])
                time.sleep(0.2)
    rendered = here("render", "--kit", str(one_class_kit), "--class", "kick",
                    "--seed", "4711", "--rate", "48000", "--out", "out")
    assert rendered.returncode == 0
    first, _ = soundfile.read(tmp_path / "out" / "kicks_kick_4711.wav")
    second, _ = soundfile.read(exported)
    np.testing.assert_array_equal(first, second)
