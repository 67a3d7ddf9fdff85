"""Rewards that are held by the real acts, for tests that read them over the API."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from httpx import AsyncClient

from db.engine import Database
from domain.intake.facts import Choice, Deposit
from domain.lifecycle.referral import Stage
from tests.activities.referral_acts import ReferralActs, card_of, record_referrer_deposit, sign_up
from tests.builders import TERMS, deposit

A_WEEK = timedelta(days=7)


async def held_for_review(database: Database) -> tuple[ReferralActs, Deposit]:
    """Hold a reward because the pair shares a card; return the acts and the deposit."""
    acts = await sign_up(database)
    await record_referrer_deposit(acts, card=card_of(acts))
    paid = deposit(acts.referee_id, payment_instrument=card_of(acts))
    await acts.receives(paid)
    assert (await acts.credit()).stage is Stage.HELD
    return acts, paid


async def in_hold_period(database: Database) -> tuple[ReferralActs, Deposit]:
    """Hold a reward for its hold period of a week; return the acts and the deposit."""
    acts = await sign_up(database, terms=replace(TERMS, hold_period=A_WEEK))
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    assert (await acts.credit()).stage is Stage.HELD
    return acts, paid


async def open_review(client: AsyncClient, acts: ReferralActs) -> dict[str, Any]:
    items = (await client.get("/v1/reviews?status=open&limit=200")).json()["items"]
    (review,) = [item for item in items if item["referral_id"] == str(acts.row.id)]
    found: dict[str, Any] = review
    return found


async def decide(client: AsyncClient, acts: ReferralActs, choice: Choice) -> None:
    """Decide the open review over the API, and let the referral act on it."""
    review_id = (await open_review(client, acts))["review_id"]
    body = {"decision": choice, "reason": "looked into it"}
    answer = await client.post(f"/v1/reviews/{review_id}/decision", json=body)
    assert answer.status_code == 200, answer.text
    await acts.wake()
