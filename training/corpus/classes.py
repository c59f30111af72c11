"""Drum class names: every spelling a sample pack uses, one canonical name each."""

from __future__ import annotations

import re

# Canonical name -> words that mean it, as whole tokens of a folder or file name. Order matters:
# the first class with a match wins, so the specific come before the general (open hat before hat).
ALIASES: dict[str, tuple[str, ...]] = {
    "open_hat": ("open hat", "open hihat", "open hi hat", "hat open", "hihat open", "hat op",
                 "hh open", "cymbal open", "oh", "ohh", "openhat", "openhats"),
    "closed_hat": ("closed hat", "closed hihat", "closed hi hat", "hat closed", "hihat closed",
                   "hat cl", "hat pd", "cymbal closed", "cymbal pedal", "pedal hat", "ch", "chh",
                   "closedhat", "closedhats", "hat", "hats", "hihat", "hihats", "hi hat", "hh"),
    "rimshot": ("rimshot", "rim shot", "rimshots", "rim", "rims", "rs", "side stick", "sidestick",
                "stick"),
    "cowbell": ("cowbell", "cow bell", "cowbells", "cb", "agogo"),
    "claves": ("claves", "clave", "wood block", "woodblock", "cl"),
    "clap": ("clap", "claps", "handclap", "hand clap", "cp"),
    "conga": ("conga", "congas", "bongo", "bongos", "lc", "mc", "hc"),
    "tom": ("tom", "toms", "lt", "mt", "ht", "floor tom", "tomtom"),
    "shaker": ("shaker", "shakers", "maraca", "maracas", "ma", "cabasa"),
    "snare": ("snare", "snares", "sn", "sd", "snaredrum"),
    "kick": ("kick", "kicks", "bd", "bass drum", "bassdrum", "bass drums", "drum bass", "kik"),
    "cymbal": ("cymbal", "cymbals", "crash", "ride", "splash", "china", "cy"),
}


def tokens(name: str) -> str:
    """A name as lower-case words: camel case, digits and punctuation become single spaces."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[a-z]+", split.lower()))


def class_of(name: str) -> str | None:
    """The canonical class a folder or file name speaks of, or None.

    >>> class_of("BD"), class_of("Bassdrum 2"), class_of("OpenHat_03"), class_of("vocals")
    ('kick', 'kick', 'open_hat', None)
    """
    padded = f" {tokens(name)} "
    for canonical, words in ALIASES.items():
        if any(f" {word} " in padded for word in words):
            return canonical
    return None


def folder_class(name: str) -> str:
    """The class a folder stands for: the canonical one, else its own name made an identifier."""
    return class_of(name) or re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "sounds"
