"""The receiver that docs/integration/webhooks.md shows, against the real sender."""

import base64

from domain.webhooks.addresses import Addresses
from domain.webhooks.sending import WebhookRequest
from integrations.webhook_sender import WebhookSender
from tests import ROOT
from tests.docs.snippets import code_blocks, run_snippet
from tests.webhooks.receiver import receiving

PAGE = ROOT / "docs" / "integration" / "webhooks.md"
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


async def test_the_receiver_of_the_page_verifies_what_is_sent() -> None:
    (source,) = code_blocks(PAGE, "python")
    receive = run_snippet(source)["receive"]
    sender = WebhookSender(Addresses.ANY)
    body = '{"type": "RewardGranted", "event_id": "1", "note": "€"}'
    async with receiving() as receiver:
        for _ in range(2):
            await sender.send(
                WebhookRequest(url=receiver.url, message_id="1", body=body, secrets=[SECRET])
            )
    await sender.close()
    for request in receiver.received:
        assert receive(request.headers, request.body, SECRET) == 204
        assert receive(request.headers, request.body + b" ", SECRET) == 401
        assert receive(request.headers, request.body, SECRET[:-4] + "AAA=") == 401
