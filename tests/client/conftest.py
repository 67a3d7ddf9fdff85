"""A server that answers as it is told, and what clients hand back."""

from collections.abc import AsyncIterator

import pytest

from tests.client.listener import Listener, listening


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener
