"""Places that the journeys about personal data search."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from analytics.warehouse import EmbeddedWarehouse
from stack import Connection
from tests.journeys.personal.places import Places


@pytest.fixture
def places(
    stack: Connection, temporal: Client, directory: Path, tmp_path: Path
) -> Iterator[Places]:
    warehouse = EmbeddedWarehouse(tmp_path / "warehouse")
    yield Places(stack, temporal, directory, warehouse)
    warehouse.close()
