"""The receiver that docs/integration/webhooks.md shows, against the real sender."""

import base64
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from domain.webhooks.addresses import Addresses
from domain.webhooks.sending import WebhookRequest
from integrations.webhook_sender import WebhookSender
from messaging.event_examples import example_of
from tests import ROOT
from tests.docs.snippets import code_blocks, run_snippet
from tests.webhooks.receiver import Received, receiving

PAGE = ROOT / "docs" / "integration" / "webhooks.md"
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


async def delivered(body: str, *, message_id: str, times: int = 1) -> Sequence[Received]:
    sender = WebhookSender(Addresses.ANY)
    request = functools.partial(WebhookRequest, message_id=message_id, body=body, secrets=[SECRET])
    async with receiving() as receiver:
        for _ in range(times):
            await sender.send(request(url=receiver.url))
    await sender.close()
    return receiver.received


def page_names() -> Mapping[str, Any]:
    (source,) = code_blocks(PAGE, "python")
    return run_snippet(source)


async def test_the_receiver_of_the_page_verifies_what_is_sent() -> None:
    receive = page_names()["receive"]
    body = '{"type": "RewardGranted", "event_id": "1", "note": "€"}'
    for request in await delivered(body, message_id="1", times=2):
        assert receive(request.headers, request.body, SECRET) == 204
        assert receive(request.headers, request.body + b" ", SECRET) == 401
        assert receive(request.headers, request.body, SECRET[:-4] + "AAA=") == 401


async def test_the_receiver_of_the_page_acts_on_a_notification_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    receive, notification = page_names()["receive"], example_of("Notification")
    message_id, kind = notification["notification_id"], notification["kind"]
    for request in await delivered(json.dumps(notification), message_id=message_id, times=2):
        assert receive(request.headers, request.body, SECRET) == 204
    assert capsys.readouterr().out == f"Notification {kind} {message_id}\n"


async def test_the_receiver_of_the_page_records_no_id_of_a_message_that_it_cannot_act_on() -> None:
    names = page_names()
    (request,) = await delivered("{}", message_id="1")
    with pytest.raises(KeyError):
        names["receive"](request.headers, request.body, SECRET)
    assert names["seen"] == set()
