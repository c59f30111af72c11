"""Drum class names: every spelling a sample pack uses, one canonical name each."""

from __future__ import annotations

import hashlib
import re
import unicodedata

AND = re.compile(r"\s*[&+]\s*|[\s_-]+(?:and|n)[\s_-]+", re.IGNORECASE)
CODE_LETTERS = 2
MOST_LETTERS = 32  # of a class in kit.toml
# Canonical name -> words that mean it, in the singular, as whole tokens of a folder or file name or
# written as one. Order matters: the first class with a match wins, so the specific come before the
# general (open hat before hat).
ALIASES: dict[str, tuple[str, ...]] = {
    "open_hat": ("open hat", "open hihat", "open hi hat", "hat open", "hihat open", "hi hat open",
                 "hat op", "open hh", "hh open", "hh op", "hh o", "hho", "cymbal open", "oh",
                 "ohh", "o hat", "op hat", "hat oh"),
    "closed_hat": ("closed hat", "closed hihat", "closed hi hat", "hat closed", "hihat closed",
                   "hat cl", "hat pd", "closed hh", "hh closed", "hh cl", "hh c", "hhc",
                   "cymbal closed", "cymbal pedal", "pedal hat", "ch", "chh", "hat", "hihat",
                   "hi hat", "hh"),
    "rimshot": ("rimshot", "rim shot", "rim", "rs", "side stick", "stick"),
    "cowbell": ("cow bell", "cb", "agogo"),
    "claves": ("clave", "wood block", "cl"),
    "clap": ("clap", "hand clap", "clp", "hcp", "cp"),
    "conga": ("conga", "lo conga", "low conga", "mid conga", "hi conga", "high conga", "bongo",
              "lc", "mc", "hc"),
    "tom": ("tom", "tom tom", "floor tom", "lo tom", "low tom", "mid tom", "hi tom", "high tom",
            "lt", "mt", "ht"),
    "shaker": ("shaker", "shk", "maraca", "ma", "cabasa"),
    "snare": ("snare", "snare drum", "snr", "sn", "sd"),
    "kick": ("kick", "kick drum", "bd", "bass drum", "drum bass", "kik", "kd", "kck"),
    "cymbal": ("cymbal", "cym", "crash", "ride", "splash", "china", "cy", "cr", "rd"),
    "tambourine": ("tambourine", "tamb"),
    "percussion": ("percussion", "perc"),
}


def _singular(word: str) -> str:
    """Hats to hat, crashes to crash; bass stays."""
    if word.endswith("shes"):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def tokens(name: str) -> list[str]:
    """A name as lower-case words in the singular: camel case, digits and punctuation part them."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [_singular(word) for word in re.findall(r"[a-z]+", split.lower())]


def class_of(name: str) -> str | None:
    """The canonical class a folder or file name speaks of, or None.

    >>> class_of("BD"), class_of("Bassdrum 2"), class_of("Open Hi-Hats"), class_of("vocals")
    ('kick', 'kick', 'open_hat', None)
    """
    found = _named(name)
    return found.pop() if len(found) == 1 else None


def _named(name: str) -> set[str]:
    """Classes that the parts of a name joined by `and` speak of."""
    return {known for part in AND.split(name) if (known := _of_part(part)) is not None}


def _of_part(name: str) -> str | None:
    """Words before codes of two letters: `Kick OH` is a kick through the overheads."""
    words = tokens(name)
    padded = f" {' '.join(words)} "
    for is_code in (False, True):
        for canonical, aliases in ALIASES.items():
            if any(f" {alias} " in padded or alias.replace(" ", "") in words
                   for alias in aliases if (len(alias) <= CODE_LETTERS) == is_code):
                return canonical
    return None


def is_mixture(name: str) -> bool:
    """Whether a folder's name joins two things of no one class: `Kick & Snare`, `Drum & Bass`."""
    return len(AND.split(name)) > 1 and class_of(name) is None


def names_several(name: str) -> bool:
    """Whether a name speaks of two classes, so that which one a sound is must be said elsewhere."""
    return len(_named(name)) > 1


def folder_class(name: str) -> str:
    """The class a folder stands for: the canonical one, else its own name made an identifier, which
    is another for every name: what has no letters of ours, or too many, ends in a number."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    own = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if 0 < len(own) <= MOST_LETTERS:
        return class_of(name) or own
    number = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:4]
    return class_of(name) or f"{own[: MOST_LETTERS - 5].rstrip('_') or 'sounds'}_{number}"
