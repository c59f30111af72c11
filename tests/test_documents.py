"""What the README and the examples tell people to type exists. The examples for other programs are
tried in tests/examples."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from gan808.cli.main import app
from gan808.config import Settings
from gan808.instrument.addresses import decode
from gan808.sound.kit.slots import TR808

CHECKOUT = Path(__file__).resolve().parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
CODES = [slot.code for slot in TR808]


def shell_lines(text: str) -> list[list[str]]:
    """Every command in the fenced blocks, as words, comments left out."""
    text = text.replace("\\\n", " ")  # a line that goes on
    blocks = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def osc_messages() -> Iterator[tuple[str, tuple[str, ...]]]:
    """(file, (address, argument...)) of every OSC message the README and examples send."""
    for line in shell_lines(README):
        if line[0] == "oscsend":
            yield "README.md", (line[3], *line[5:])
    client = ast.parse((CHECKOUT / "examples" / "osc_client.py").read_text(encoding="utf-8"))
    for node in ast.walk(client):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "message":
            values = [a.value if isinstance(a, ast.Constant) else None for a in node.args]
            if None not in values:
                yield "osc_client.py", tuple(str(value) for value in values)


def typed(text: str) -> str | float:
    """An argument as an OSC client would send it."""
    return float(text) if re.fullmatch(r"-?[0-9.]+", text) else text


@pytest.mark.parametrize(("file", "message"), list(osc_messages()))
def test_every_osc_message_is_understood(file: str, message: tuple[str, ...]) -> None:
    address, *arguments = message
    assert decode(address, [typed(argument) for argument in arguments], CODES)


def needs(example: Path) -> str:
    """What an example says before anything else, as a reader of its program sees it."""
    content = example.read_bytes()
    if example.suffix == ".tosc":
        content = zlib.decompress(content)
    return content[:2500].decode("utf-8")


def test_every_example_says_what_it_needs_and_is_in_their_table() -> None:
    table = (CHECKOUT / "examples" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[([^\]]+)\]\(\1\) \| [^|]+ \| [^|]+ \|$", table, re.MULTILINE)
    there = [path for path in (CHECKOUT / "examples").iterdir() if path.is_file()]
    assert sorted(listed) == sorted(path.name for path in there if path.name != "README.md")
    assert [path.name for path in there if "Needs" not in needs(path)] == ["README.md"]


def commands() -> Iterator[list[str]]:
    """Every command line of ours in the README, the pages on installing and on exports, the
    container and the release workflow."""
    for page in (README, *(read(f"docs/{name}.md") for name in ("install", "exports"))):
        yield from (line for line in shell_lines(page) if line[0] == "gan808")
    for page in ("docs/install.md", "docs/exports.md"):
        yield from (shlex.split(line) for line in re.findall(r"`(gan808 [^`|]+)`", read(page)))
    for line in re.findall(r"run: (gan808 .*)", read(".github/workflows/release.yml")):
        yield shlex.split(line)
    container = read("Containerfile")
    yield [*json.loads(re.findall(r"^ENTRYPOINT (.*)$", container, re.MULTILINE)[0]),
           *json.loads(re.findall(r"^CMD (.*)$", container, re.MULTILINE)[0])]


def read(page: str) -> str:
    return (CHECKOUT / page).read_text(encoding="utf-8")


def test_the_settings_to_turn_down_are_settings() -> None:
    found = re.findall(r"^```toml\n(.*?)^```", read("docs/install.md"), re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    Settings().replace(tomllib.loads(found[0]))


def test_the_release_is_tried_on_three_systems() -> None:
    workflow = pytest.importorskip("yaml").safe_load(read(".github/workflows/release.yml"))
    systems = workflow["jobs"]["play"]["strategy"]["matrix"]["os"]
    assert {system.partition("-")[0] for system in systems} == {"ubuntu", "macos", "windows"}
    assert workflow["jobs"]["publish"]["needs"] == "play"


@pytest.mark.parametrize("line", list(commands()), ids=" ".join)
def test_every_command_exists(line: list[str]) -> None:
    command = typer.main.get_command(app)
    words = line[1:]
    while hasattr(command, "commands") and not (words and words[0].startswith("-")):
        assert words, f"{line}: a command is missing"
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts}
    options |= {"--install-completion"}  # Typer's own
    assert {word for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize("line", [line for line in shell_lines(README) if line[0] == "make"],
                         ids=" ".join)
def test_every_make_target_exists(line: list[str]) -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{line[1]}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("page", ["README.md", "examples/README.md", "examples/drum-rack-notes.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (CHECKOUT / page).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (CHECKOUT / page).parent.joinpath(link).exists()] == []


def test_the_note_table_is_the_programs() -> None:
    rows = re.findall(r"^\| (\d+) \| (\w\w) \| [^|]+ \| (\d+) \| ([\d ]*)\|$", README, re.MULTILINE)
    told = [(int(number), code, (int(note), *map(int, also.split())))
            for number, code, note, also in rows]
    assert told == [(number, slot.code, slot.notes) for number, slot in enumerate(TR808, start=1)]

