"""Logs of one life: the ids that connect its lines, and no personal data."""

import json
from pathlib import Path
from typing import Any

from temporalio.client import Client

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_invited_pair
from sandbox.sportsbook.requests import deposit, signup, unique_id


def lines(directory: Path, process: str) -> list[dict[str, Any]]:
    text = (directory / "logs" / f"{process}.log").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


async def test_a_deposit_can_be_followed_by_its_ids_and_no_person_is_named(
    sportsbook: SportsbookClient, directory: Path, temporal: Client
) -> None:
    pair = await create_invited_pair(sportsbook)
    person: dict[str, Any] = {
        "ip": "192.0.2.77",
        "email": f"{unique_id('someone')}@book.example",
        "phone": "+15550104477",
        "full_name": unique_id("A Person"),
        "device_id": unique_id("device"),
    }
    paid = deposit(pair.referee_id, payment_instrument=unique_id("card"))
    arrival = signup(pair.referee_id, referral_token=pair.invitation.referral_token, **person)
    for event in (arrival, paid):
        await sportsbook.send(event)
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")

    ids = {"referral_id": pair.referral_id, "workflow_id": f"referral:{pair.referral_id}"}
    assert any(line.get("event_id") == paid.id for line in lines(directory, "api"))
    carried = [line for line in lines(directory, "courier") if line.get("event_id") == paid.id]
    assert any(ids.items() <= line.items() for line in carried)
    acted = [line for line in lines(directory, "worker") if ids.items() <= line.items()]
    assert any(line.get("stage") == "REWARDED" for line in acted)
    assert any(paid.id in line.get("event_ids", ()) for line in acted)

    handle = temporal.get_workflow_handle(ids["workflow_id"])
    history = await handle.fetch_history()
    # In clear: the JSON of a history has payloads in base64, in which nothing would be found.
    payloads = "".join(repr(event.SerializeToString()) for event in history.events)
    assert pair.referral_id in payloads
    texts = [payloads]
    texts += [path.read_text(encoding="utf-8") for path in (directory / "logs").glob("*.log")]
    for secret in (*person.values(), paid.body["payment_instrument"]):
        assert not any(secret in text for text in texts)
