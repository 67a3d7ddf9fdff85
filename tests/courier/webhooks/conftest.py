"""A courier's webhooks on a database of the test's own."""

from collections.abc import AsyncIterator

import pytest

from db.engine import Database
from domain.webhooks.addresses import Addresses
from integrations.webhook_sender import WebhookSender
from tests.courier.webhooks.steps import Webhooks


@pytest.fixture
async def webhooks(fresh_database: Database) -> AsyncIterator[Webhooks]:
    sender = WebhookSender(Addresses.ANY, timeout_s=30)
    webhooks = Webhooks(fresh_database, sender)
    yield webhooks
    for deliverer in webhooks.deliverers:
        for task in tuple(deliverer.sends):
            task.cancel()
    await sender.close()
