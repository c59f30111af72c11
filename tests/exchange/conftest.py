"""A kit of the tests as it is exported."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gan808.app.offline.export import collect
from gan808.exchange.collecting import Amounts, Form
from gan808.exchange.exported_kit import ExportedKit
from tests.tiny_kit import write_tiny_kit

ODD = 'Käse & "Bröt"/1'


@pytest.fixture(scope="package")
def kit(tmp_path_factory: pytest.TempPathFactory) -> ExportedKit:
    folder = write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny")
    return replace(collect(str(folder), Amounts(2), Form(48_000, 16)), name=ODD)
