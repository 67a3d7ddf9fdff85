"""Direct signals to a referral's workflow: counted once, and never able to block it."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_invited_pair, create_signed_up_pair
from sandbox.sportsbook.requests import Event, ago, chargeback, deposit, signup, unique_id
from tests.journeys.engineer import Engineer
from tests.journeys.review_steps import hold_for_review

SIGNALS: Final = ("sign_up", "make_deposit", "charge_back", "decide", "supersede", "look")
MALFORMED: Final[tuple[tuple[Any, ...], ...]] = (
    (),
    (None,),
    ("text",),
    (17,),
    ([],),
    ({},),
    ({"event_id": 1, "occurred_at": "yesterday"},),
    ({"event_id": "x", "occurred_at": "2026-03-01T12:00:00", "player_id": "p"},),
    ({"event_id": "x", "occurred_at": "2026-03-01T12:00:00Z", "amount": {"minor": -1}},),
    ({}, {}),
)
OF_SOMEBODY: Final = {"occurred_at": "2026-03-01T12:00:00Z", "player_id": "p"}
PAID: Final = {**OF_SOMEBODY, "deposit_id": "d", "amount": {"minor": 1000, "currency": "USD"}}
OPENED: Final = {**OF_SOMEBODY, "platform": "web", "jurisdiction": "x", "currency": "USD"}
UNSTORABLE: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("make_deposit", {**PAID, "event_id": "nul\0"}),
    ("make_deposit", {**PAID, "event_id": "e" * 65}),
    ("make_deposit", {**PAID, "event_id": "a", "player_id": "p" * 65}),
    ("make_deposit", {**PAID, "event_id": "b", "method": "nul\0"}),
    ("make_deposit", {**PAID, "event_id": "c", "occurred_at": "0001-01-01T00:00:00+14:00"}),
    ("make_deposit", {**PAID, "event_id": "d", "occurred_at": "9999-12-31T23:59:59-14:00"}),
    ("sign_up", {**OPENED, "event_id": "e", "platform": "nul\0"}),
    (
        "sign_up",
        {**OPENED, "event_id": "f", "standing": {"stage": "HELD", "until": "2026-03-01T12:00:00"}},
    ),
    ("decide", {**OF_SOMEBODY, "event_id": "g", "reviewer": "\0", "decision": "approve"}),
)


@pytest.fixture
async def pair(sportsbook: SportsbookClient, engineer: Engineer) -> Pair:
    pair = await create_invited_pair(sportsbook)
    await engineer.wait_until_started(pair.invitation.workflow_id)
    return pair


def life_events(pair: Pair) -> tuple[tuple[str, Event], ...]:
    paid = deposit(pair.referee_id)
    return (
        ("sign_up", signup(pair.referee_id, at=ago(seconds=1))),
        ("make_deposit", paid),
        ("charge_back", chargeback(paid)),
    )


async def test_events_sent_by_signal_count_once_when_sent_again_over_http(
    sportsbook: SportsbookClient, engineer: Engineer, pair: Pair
) -> None:
    events = life_events(pair)
    for (signal, event), stage in zip(events, ("SIGNED_UP", "REWARDED", "REVERSED"), strict=True):
        await engineer.signal(pair.invitation.workflow_id, signal, dict(event.body))
        await sportsbook.wait_for_stage(pair.referral_id, stage)

    statuses = [await sportsbook.send(event) for _, event in events]

    assert statuses == ["duplicate"] * 3
    referral = await engineer.wait_until_idle(pair.referral_id)
    assert referral.stages == ["INVITED", "SIGNED_UP", "REWARDED", "REVERSED"]
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 0


async def test_counts_an_event_sent_by_signal_and_http_at_once_only_once(
    sportsbook: SportsbookClient, engineer: Engineer, pair: Pair
) -> None:
    (_, registered), (_, paid), _ = life_events(pair)
    workflow_id = pair.invitation.workflow_id
    await engineer.signal(workflow_id, "sign_up", dict(registered.body))
    await sportsbook.wait_for_stage(pair.referral_id, "SIGNED_UP")

    await asyncio.gather(
        *(engineer.signal(workflow_id, "make_deposit", dict(paid.body)) for _ in range(10)),
        *(sportsbook.send(paid) for _ in range(10)),
    )

    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    referral = await engineer.wait_until_idle(pair.referral_id)
    assert referral.stages == ["INVITED", "SIGNED_UP", "REWARDED"]
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000


async def test_processes_a_life_signalled_all_at_once(
    sportsbook: SportsbookClient, engineer: Engineer, pair: Pair
) -> None:
    for signal, event in reversed(life_events(pair)):
        await engineer.signal(pair.invitation.workflow_id, signal, dict(event.body))

    referral = await sportsbook.wait_until_bound(pair.referee_id)
    assert referral.referral_id == pair.referral_id
    await engineer.wait_until_idle(pair.referral_id)
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 0


async def test_a_signalled_decision_that_nobody_recorded_decides_nothing(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    pair, _ = await hold_for_review(sportsbook)
    decision = {
        "event_id": unique_id("decision"),
        "occurred_at": ago(seconds=1).isoformat(),
        "reviewer": "fraud-desk",
        "decision": "approve",
        "reason": "a couple",
    }

    await engineer.signal(pair.invitation.workflow_id, "decide", decision)

    referral = await engineer.wait_until_idle(pair.referral_id)
    assert referral.stages[-1] == "HELD"
    assert (await sportsbook.wait_for_review(pair.referral_id)).decision is None


@pytest.mark.parametrize("host", [None, "localhost", "evil.example"])
async def test_a_web_page_cannot_post_a_signal_to_the_embedded_temporal(
    pair: Pair, directory: Path, host: str | None
) -> None:
    port = json.loads((directory / "ports.json").read_text())["temporal_http"]
    workflows = f"http://127.0.0.1:{port}/api/v1/namespaces/default/workflows"
    headers = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    headers |= {"Host": host} if host else {}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as page:
        posted = await page.post(
            f"{workflows}/{pair.invitation.workflow_id}/signal/decide",
            content=json.dumps({"input": [{"reviewer": "the.cfo"}]}),
        )
        listed = await page.get(workflows)

    assert (posted.status_code, listed.status_code) == (403, 403)


async def test_malformed_signals_do_not_block_a_referral(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    pair = await create_signed_up_pair(sportsbook)
    for name in (*SIGNALS, "no_such_signal"):
        for arguments in MALFORMED:
            await engineer.signal(pair.invitation.workflow_id, name, *arguments)

    paid = deposit(pair.referee_id)
    await sportsbook.send(paid)

    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    await engineer.signal(pair.invitation.workflow_id, "charge_back", None)
    await engineer.signal(pair.invitation.workflow_id, "charge_back", dict(chargeback(paid).body))
    await sportsbook.wait_for_stage(pair.referral_id, "REVERSED")


async def test_events_that_cannot_be_stored_do_not_block_a_referral(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    pair = await create_signed_up_pair(sportsbook)
    for name, argument in UNSTORABLE:
        await engineer.signal(pair.invitation.workflow_id, name, argument)

    await sportsbook.send(deposit(pair.referee_id))

    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
