"""TOML and JSON from wherever they come: whatever is wrong with a text is a ValueError.

Python's own readers end in a RecursionError where tables or lists lie too deeply in one another.
Pure functions; any thread.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

TOO_DEEP = "nested too deeply"


def from_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises ValueError."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def from_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
