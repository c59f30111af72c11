"""A running OSC server and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.rig import Client, Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def client(rig: Rig) -> Iterator[Client]:
    with Client(rig) as client:
        yield client
