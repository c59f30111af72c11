"""OSC 1.0 wildcards: what they match, what is refused, and that none of them is slow."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan808.errors import ConfigError
from gan808.instrument.wildcards import Wildcard


@pytest.mark.parametrize(("pattern", "address", "matches"), [
    ("/slot/*/level", "/slot/BD/level", True),
    ("/slot/*/level", "/slot/BD/x/level", False),
    ("/slot/?D/level", "/slot/SD/level", True),
    ("/slot/?D/level", "/slot/D/level", False),
    ("/slot/[a-c]D/level", "/slot/BD/level", True),
    ("/slot/[a-c]D/level", "/slot/SD/level", False),
    ("/slot/[!b]D/level", "/slot/SD/level", True),
    ("/slot/[!b]D/level", "/slot/BD/level", False),
    ("/slot/[b-]D/level", "/slot/-D/level", True),
    ("/slot/{bd,sd}/level", "/slot/SD/level", True),
    ("/slot/{bd,sd}/level", "/slot/BDSD/level", False),
    ("/seq/t*o", "/seq/tempo", True),
    ("/seq/**", "/seq/tempo", True),
    ("/seq/*", "/seq", False),
    ("/a.b", "/axb", False),
])
def test_what_matches(pattern: str, address: str, matches: bool) -> None:
    assert Wildcard(pattern).matches(address) is matches


@pytest.mark.parametrize("pattern", ["/[a", "/{a", "/a]", "/a}", "/[]", "/[!]", "/{a,{b}}"])
def test_nonsense_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="does not make sense"):
        Wildcard(pattern)


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=8))
def test_agrees_with_the_shell(pattern: str, text: str) -> None:
    assert Wildcard(pattern).matches(text) is fnmatch.fnmatchcase(text, pattern)


@pytest.mark.parametrize("pattern", [
    "{,}" * 66, "{a,aa}" * 33, "*a" * 100, "*{,a}" * 39 + "z", "[\0-\U0010ffff]" * 40,
])
def test_no_pattern_is_slow(pattern: str) -> None:
    """A backtracking matcher takes 2^33 steps for these; a second is a thousand times enough."""
    began_s = time.process_time()
    assert not Wildcard(pattern).matches("a" * 60 + "b!")
    assert time.process_time() - began_s < 1.0
