"""OSC 1.0's wildcards: ? any character, * any number, [a-c] or [!abc] one of, {one,two} either.

Pure. Matches in time that grows with length of pattern times length of text, whatever the pattern
(a regular expression made from {,}{,}{,}... would take for ever); none of them crosses a /.
"""

from __future__ import annotations

from dataclasses import dataclass

from gan808.errors import ConfigError

SIGNS = frozenset("?*[]{}")
MAX_LENGTH = 200
MAX_CHARACTER = 127  # addresses are ASCII; a range over all of Unicode would cost seconds


@dataclass(frozen=True, slots=True)
class _Token:
    """One element of a pattern: texts any of which may stand there, or a kind of character."""

    texts: tuple[str, ...] = ()
    characters: frozenset[str] = frozenset()
    negated: bool = False
    any_number: bool = False

    def ends(self, text: str, place: int) -> set[int]:
        """Where it can end in text when it begins at place."""
        if self.any_number:
            return set(range(place, len(text) + 1))
        if self.texts:
            return {place + len(t) for t in self.texts if text.startswith(t, place)}
        fits = place < len(text) and (text[place] in self.characters) != self.negated
        return {place + 1} if fits else set()


class Wildcard:
    """A pattern for whole addresses; letters match in any case. Raises ConfigError."""

    def __init__(self, address: str) -> None:
        if len(address) > MAX_LENGTH:
            raise ConfigError("address too long")
        self._parts = [_tokens(part) for part in address.lower().split("/")]
        self._known: dict[tuple[int, str], bool] = {}

    def matches(self, address: str) -> bool:
        """Whether the pattern covers the whole address."""
        parts = address.lower().split("/")
        return len(parts) == len(self._parts) and all(
            self.matches_part(index, part) for index, part in enumerate(parts)
        )

    def matches_part(self, index: int, part: str) -> bool:
        """Whether the part at that place of the pattern, counted from 0, covers a part of an
        address; there may be none at that place."""
        part = part.lower()
        if index >= len(self._parts):
            return False
        if (index, part) not in self._known:
            places = {0}
            for token in self._parts[index]:
                places = {end for place in places for end in token.ends(part, place)}
            self._known[index, part] = len(part) in places
        return self._known[index, part]


def _tokens(part: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(part):
        sign = part[at]
        if sign in "[{":
            close = part.find("]" if sign == "[" else "}", at)
            if close < 0:
                raise _nonsense()
            inside = part[at + 1:close]
            tokens.append(_one_of(inside) if sign == "[" else _Token(texts=_either(inside)))
            at = close
        elif sign in "]}":
            raise _nonsense()
        elif sign == "*":
            tokens.append(_Token(any_number=True))
        else:
            tokens.append(_Token(negated=True) if sign == "?" else _Token(texts=(sign,)))
        at += 1
    return tokens


def _either(inside: str) -> tuple[str, ...]:
    if SIGNS & set(inside):
        raise _nonsense()
    return tuple(inside.split(","))


def _one_of(inside: str) -> _Token:
    """A [...]: a - between two characters is a range, anywhere else a character."""
    negated = inside.startswith("!")
    signs = inside[negated:]
    characters: set[str] = set()
    at = 0
    while at < len(signs):
        if signs[at + 1:at + 2] == "-" and at + 2 < len(signs):
            last = min(ord(signs[at + 2]), MAX_CHARACTER)
            characters |= {chr(c) for c in range(ord(signs[at]), last + 1)}
            at += 3
        else:
            characters.add(signs[at])
            at += 1
    if not characters:
        raise _nonsense()
    return _Token(characters=frozenset(characters), negated=negated)


def _nonsense() -> ConfigError:
    return ConfigError("the wildcard does not make sense; use ? * [abc] or {one,two}")
