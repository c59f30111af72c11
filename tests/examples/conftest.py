"""A running OSC server for the programs to talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.rig import Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig
