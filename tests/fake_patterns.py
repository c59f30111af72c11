"""The patterns of a fake library: those of the test, then those that ship; saved ones stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gan808.sequencer.patterns import Pattern
from gan808.sound.kit.slots import SlotLayout
from gan808.storage.pattern_files import find_pattern, pattern_names


class FakePatterns:
    """What a library does with patterns, without files."""

    patterns: dict[str, Pattern]

    def pattern(self, name: str, slots: Sequence[SlotLayout] = ()) -> Pattern:
        return self.patterns.get(name) or find_pattern(name, (), slots)

    own_pattern = pattern

    def save_pattern(self, pattern: Pattern, name: str) -> Path:
        self.patterns[name] = replace(pattern, name=name)
        return Path("patterns") / f"{name}.toml"

    def pattern_names(self) -> list[str]:
        return sorted([*self.patterns, *pattern_names()])
