"""Whatever is wrong with a text, one kind of error says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gan808.toml_json import from_json, from_toml


@pytest.mark.parametrize("read", [from_toml, from_json])
@pytest.mark.parametrize("text", [
    "a = " + "[" * 100_000, "[" * 100_000, '{"a":' * 100_000, "a = " + "9" * 5000, "9" * 5000,
    "\ufeff", "a = \0", '"\ud800', "{"])
def test_what_is_wrong_is_a_value_error(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read(text)


def test_what_is_right_is_read() -> None:
    assert from_toml("a.b = [1, 2.5]") == {"a": {"b": [1, 2.5]}}
    assert from_json('{"a": [1, null]}') == from_json(b'{"a": [1, null]}') == {"a": [1, None]}
