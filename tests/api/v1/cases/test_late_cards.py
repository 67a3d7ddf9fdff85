"""A card shown late: it joins players whose rewards were judged before, paid ones and held ones."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.tables import ClusterMerge, Delivery
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.fraud.late_links import follow_next
from tests.activities.referral_acts import LATER, ReferralActs, card_of, sign_up
from tests.api.v1.cases.steps import URL, decide, file_cases
from tests.builders import TERMS, deposit, unique

HOLDING = replace(TERMS, hold_period=timedelta(days=14))
SHOWN_AT = LATER + timedelta(days=3)


async def test_a_late_card_holds_what_waits_and_opens_a_case_about_what_was_paid(
    client: AsyncClient, database: Database
) -> None:
    referrer = unique("referrer")
    paid = await sign_up(database, referrer_id=referrer)
    held = await sign_up(database, terms=HOLDING, referrer_id=referrer)
    for acts in (paid, held):
        await acts.receives(deposit(acts.referee_id))
        await acts.credit()
    assert await stages(paid, held) == [Stage.REWARDED, Stage.HELD]
    assert await held.open_hold_reasons() == {HoldReason.HOLD_PERIOD}

    for acts in (paid, held):
        late = deposit(acts.referee_id, payment_instrument=card_of(paid), at=SHOWN_AT)
        await acts.receives(late)
    await follow_merges(database, paid.referee_id, held.referee_id)
    assert await is_woken_by_the_merge(held)
    await held.wake(at=SHOWN_AT)
    await file_cases(database)

    assert await stages(paid, held) == [Stage.REWARDED, Stage.HELD]
    assert HoldReason.REVIEW in await held.open_hold_reasons()
    review = await held.latest_review()
    assert {"known_person", "shared_payment_instrument"} <= set(review.reasons)
    cases = await cases_of(client, paid, held)
    assert cases[paid.row.id]["late_link"]["reasons"] == ["late_link", "shared_payment_instrument"]
    assert cases[held.row.id]["held"]["reviews"] == [str(review.id)]
    assert cases[paid.row.id]["late_link"]["subject"] == cases[held.row.id]["held"]["subject"]
    assert (await paid.referrer_balances()).available == 1000


async def test_a_later_link_of_the_same_kind_asks_again_about_the_same_referrals(
    client: AsyncClient, database: Database
) -> None:
    pair = [await paid_referral(database) for _ in range(2)]
    ring = [await paid_referral(database) for _ in range(3)]
    await show_card(database, card_of(pair[0]), *pair)
    await show_card(database, card_of(ring[0]), *ring)
    await file_cases(database)
    (family,) = await late_cases(client, pair[0])
    assert (await decide(client, family, "approve")).status_code == 200

    await show_card(database, card_of(ring[0]), pair[0])
    await show_card(database, card_of(ring[0]), pair[0])
    await file_cases(database)

    (again,) = await late_cases(client, pair[0])
    asked = again["referrals"]
    assert {str(acts.row.id) for acts in pair} <= set(asked)
    assert len(asked) == len(set(asked))


async def paid_referral(database: Database) -> ReferralActs:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id))
    assert (await acts.credit()).stage is Stage.REWARDED
    return acts


async def show_card(database: Database, card: str, *referrals: ReferralActs) -> None:
    """Let referees deposit with a card, and follow whom it joins."""
    for acts in referrals:
        await acts.receives(deposit(acts.referee_id, payment_instrument=card, at=SHOWN_AT))
        await follow_merges(database, acts.referee_id)


async def late_cases(client: AsyncClient, acts: ReferralActs) -> list[dict[str, Any]]:
    """Return the open cases of late links that a referral is in."""
    found = await client.get(URL, params={"player_id": acts.referee_id, "status": "open"})
    own = [case for case in found.json()["items"] if str(acts.row.id) in case["referrals"]]
    return [case for case in own if case["kind"] == "late_link"]


async def stages(*referrals: ReferralActs) -> list[Stage]:
    return [(await acts.stored_row()).stage for acts in referrals]


async def follow_merges(database: Database, *player_ids: str) -> None:
    """Follow the merges of these players; those of other tests may be open, too."""
    query = select(ClusterMerge.id).where(ClusterMerge.followed_at.is_(None))
    is_open = True
    while is_open:
        async with database.transaction() as session:
            await follow_next(session)
        async with database.reading() as session:
            is_open = bool(
                await session.scalar(query.where(ClusterMerge.player_id.in_(player_ids)))
            )


async def is_woken_by_the_merge(acts: ReferralActs) -> bool:
    query = select(Delivery.id).where(Delivery.referral_id == acts.row.id)
    async with acts.database.reading() as session:
        return bool(await session.scalar(query.where(Delivery.event_id.startswith("merge/"))))


async def cases_of(
    client: AsyncClient, *referrals: ReferralActs
) -> dict[UUID, dict[str, dict[str, object]]]:
    """Return the cases of each referral by their kinds."""
    found = {}
    for acts in referrals:
        answer = await client.get(URL, params={"player_id": acts.referee_id})
        own = [case for case in answer.json()["items"] if str(acts.row.id) in case["referrals"]]
        found[acts.row.id] = {case["kind"]: case for case in own}
    return found
