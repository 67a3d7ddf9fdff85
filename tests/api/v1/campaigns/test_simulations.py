"""`simulate`: a past period replayed by another version; nothing is written."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from db.engine import Database
from db.tables import CampaignVersion
from domain.campaigns.conditions.reading import read_condition
from domain.campaigns.limits.periods import CALENDAR_YEAR
from domain.campaigns.limits.reading import read_limits
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import Terms
from domain.intake.facts import Choice, FactKind, TakeBack
from referrals.campaigns.versions import terms_json
from referrals.intake.facts import facts_of_player
from referrals.reporting.simulations import Question, read_period
from referrals.reporting.simulations import simulate as replay
from tests.activities.referral_acts import LATER, ReferralActs, sign_up
from tests.api.bodies import assert_problem, unique
from tests.builders import NOW, TERMS, Offer, an_offer, chargeback, deposit, usd
from tests.state import offer_of

PERIOD = {"from": "2026-02-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
USD_10 = {"minor": 1000, "currency": "USD"}
CREDITED_AT = datetime(2026, 3, 2, tzinfo=UTC)


def cost(minor: int) -> list[dict[str, Any]]:
    return [{"minor": minor, "currency": "USD"}] if minor else []


def totals(rewards: int, minor: int) -> dict[str, Any]:
    return {"rewards": rewards, "cost": cost(minor)}


async def propose(
    database: Database, acts: ReferralActs, terms: Terms, *, version: int = 2
) -> None:
    """Write a proposal of the campaign, which nobody has published."""
    async with database.transaction() as session:
        first = (await offer_of(session, acts.row)).version
        copied = ("campaign_id", "name", "destination", "budget_minor", "attribution", "options")
        values = {name: getattr(first, name) for name in copied}
        session.add(
            CampaignVersion(
                id=uuid4(), version=version, terms=terms_json(terms), author="tests", **values
            )
        )
        await session.execute(
            text("update campaigns set proposed_version = :version where id = :id"),
            {"version": version, "id": first.campaign_id},
        )


async def play(
    database: Database, *minors: int, budget: int = 100_000, one_referrer: bool = False
) -> Sequence[ReferralActs]:
    """Have players of one campaign credited for deposits of these amounts, an hour apart."""
    played: list[ReferralActs] = []
    async with database.transaction() as session:
        offer: Offer = await an_offer(session, budget=usd(budget))
    for hours, minor in enumerate(minors, start=1):
        referrer = played[0].row.referrer_id if one_referrer and played else None
        acts = await sign_up(database, offer=offer, referrer_id=referrer)
        at = NOW + timedelta(hours=hours)
        await acts.receives(deposit(acts.referee_id, minor=minor, at=at))
        await acts.credit(at=CREDITED_AT)
        played.append(acts)
    return played


async def simulate(client: AsyncClient, acts: ReferralActs, **body: object) -> dict[str, Any]:
    url = f"/v1/campaigns/{acts.row.campaign_slug}/simulate"
    answer = await client.post(url, json={**PERIOD, **body})
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def tenth(**rules: Any) -> Terms:  # noqa: ANN401 - any of the rules
    rewards = read_rewards(
        [{"to": "referrer", "amount": {"percent": "10"}}], "rewards", currency="USD"
    )
    return replace(TERMS, referrer_reward=usd(0), rules=Rules(rewards=rewards, **rules))


async def test_a_version_replayed_on_its_own_referrals_changes_nothing(
    client: AsyncClient, database: Database
) -> None:
    (acts, taken, small) = await play(database, 5000, 2000, 500)
    async with database.reading() as session:
        offer = await offer_of(session, acts.row)
    waiting = await sign_up(database, offer=offer)
    (paid,) = await deposits_of(taken)
    await taken.receives(chargeback(paid, at=CREDITED_AT + timedelta(days=1)))
    await taken.wake(at=CREDITED_AT + timedelta(days=2))

    shown = await simulate(client, acts)
    assert (shown["version"], shown["referrals"], shown["qualified"]) == (1, 4, 2)
    assert shown["before"] == shown["after"] == shown["live"] == totals(1, 1000)
    assert (shown["changed"], shown["changed_total"]) == ([], 0)
    assert shown["unpaid"] == {"no_deposit": 2}
    assert shown["budgets"] == [
        {"budget": usd_out(100_000), "left": usd_out(99_000), "exhausted_at": None}
    ]
    assert small.row.id != waiting.row.id


async def deposits_of(acts: ReferralActs) -> Sequence[Any]:
    async with acts.database.reading() as session:
        return await facts_of_player(session, acts.referee_id, FactKind.DEPOSIT)


def usd_out(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


async def test_a_proposal_is_compared_with_what_stands_and_with_the_live_version(
    client: AsyncClient, database: Database
) -> None:
    (first, _, small) = await play(database, 30_000, 10_000, 500)
    await propose(database, first, replace(tenth(), minimum_deposit=usd(100)))

    shown = await simulate(client, first)
    assert (shown["version"], shown["live_version"]) == (2, 1)
    assert shown["before"] == shown["live"] == totals(2, 2000)
    assert shown["after"] == totals(3, 4050)
    changed = {one["referral_id"]: (one["after"], one["why"]) for one in shown["changed"]}
    assert changed == {
        str(first.row.id): (totals(1, 3000), "amount"),
        str(small.row.id): (totals(1, 50), "qualifies"),
    }
    assert shown["spread"] == [
        {
            "to": "referrer",
            "kind": "cash",
            "rewards": 3,
            "smallest": usd_out(50),
            "median": usd_out(1000),
            "largest": usd_out(3000),
            "cost": usd_out(4050),
        }
    ]
    assert (await simulate(client, first, version=1))["after"] == totals(2, 2000)


async def test_a_refund_lowers_what_would_have_been_paid(
    client: AsyncClient, database: Database
) -> None:
    (acts,) = await play(database, 30_000)
    (paid,) = await deposits_of(acts)
    half = chargeback(paid, TakeBack.REFUND, at=CREDITED_AT + timedelta(days=1), amount=usd(15_000))
    await acts.receives(half)
    await propose(database, acts, tenth())

    assert (await simulate(client, acts))["after"] == totals(1, 1500)


async def test_the_budget_reaches_as_far_as_it_does(
    client: AsyncClient, database: Database
) -> None:
    played = await play(database, 10_000, 10_000, 10_000, budget=5000)
    await propose(database, played[0], replace(TERMS, referrer_reward=usd(2000)))

    shown = await simulate(client, played[0])
    assert shown["after"] == totals(2, 4000)
    (reach,) = shown["budgets"]
    assert (reach["budget"], reach["left"]) == (usd_out(5000), usd_out(1000))
    assert reach["exhausted_at"] == "2026-03-01T15:00:00Z"
    assert shown["unpaid"] == {"funds": 1}
    whys = {one["referral_id"]: one["why"] for one in shown["changed"]}
    assert [whys[str(acts.row.id)] for acts in played] == ["amount", "amount", "funds"]


async def test_limits_are_counted_in_the_order_of_time(
    client: AsyncClient, database: Database
) -> None:
    played = await play(database, 10_000, 10_000, 10_000, one_referrer=True)
    a_week = [{"of": "referrer", "per": "week", "rewards": 2, "over": "refuse"}]
    limits = read_limits(a_week, "limits", currency="USD")
    await propose(database, played[0], replace(TERMS, rules=Rules(limits=limits)))

    shown = await simulate(client, played[0])
    assert shown["after"] == totals(2, 2000)
    (changed,) = shown["changed"]
    assert changed == {
        "referral_id": str(played[2].row.id),
        "before": totals(1, 1000),
        "after": totals(0, 0),
        "why": "limit: referrer_week",
    }


async def test_a_condition_that_was_not_met_is_named(
    client: AsyncClient, database: Database
) -> None:
    first, second = await play(database, 10_000, 10_000, one_referrer=True)
    when = read_condition({"field": "referrer.rewarded", "op": "lt", "value": 1}, "terms.when")
    await propose(database, first, replace(TERMS, rules=Rules(when=when)))
    # Each of them was credited after both deposits: at the deposits nobody was rewarded yet.
    assert (await simulate(client, first))["after"] == totals(2, 2000)

    when = read_condition({"field": "deposit.method", "op": "eq", "value": "card"}, "terms.when")
    await propose(database, first, replace(TERMS, rules=Rules(when=when)), version=3)
    shown = await simulate(client, second)
    assert shown["after"] == totals(0, 0)
    assert {one["why"] for one in shown["changed"]} == {"condition_not_met: terms.when"}


async def test_what_was_rejected_for_fraud_stays_so(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database, terms=replace(TERMS, requires=("device_id",)))
    await acts.receives(deposit(acts.referee_id))
    await acts.credit(at=LATER)
    await acts.decide(Choice.REJECT)
    await acts.wake()

    shown = await simulate(client, acts)
    assert (shown["after"], shown["changed"]) == (totals(0, 0), [])
    assert shown["unpaid"] == {"reviewer_rejected": 1}


async def test_a_simulation_writes_nothing(client: AsyncClient, database: Database) -> None:
    (acts,) = await play(database, 10_000)
    await propose(database, acts, tenth())
    counted = text("""
        select (select count(*) from transfers), (select count(*) from timeline),
               (select count(*) from outbox), (select count(*) from audit),
               (select max(xmin::text::bigint) from rewards)
    """)
    async with database.reading() as session:
        before = (await session.execute(counted)).one()
    await simulate(client, acts)
    async with database.reading() as session:
        assert (await session.execute(counted)).one() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**PERIOD, "version": 2}, "version"),
        ({**PERIOD, "to": PERIOD["from"]}, "to"),
        ({"from": PERIOD["from"]}, "to"),
    ],
)
async def test_refuses_what_it_cannot_replay(
    client: AsyncClient, body: dict[str, Any], field: str
) -> None:
    slug = unique("offer")
    budget = {"minor": 500_000, "currency": "USD"}
    terms = {"referrer_reward": USD_10}
    created = await client.post(
        "/v1/campaigns", json={"slug": slug, "name": "Spring", "budget": budget, "terms": terms}
    )
    assert created.status_code == 201, created.text
    answer = await client.post(f"/v1/campaigns/{slug}/simulate", json=body)
    assert_problem(answer, 422, "validation_failed", field)


async def test_a_draft_is_replayed_with_its_planned_budget(client: AsyncClient) -> None:
    slug = unique("offer")
    budget = {"minor": 500_000, "currency": "USD"}
    body = {"slug": slug, "name": "Spring", "budget": budget, "terms": {"referrer_reward": USD_10}}
    assert (await client.post("/v1/campaigns", json=body)).status_code == 201

    shown = (await client.post(f"/v1/campaigns/{slug}/simulate", json=PERIOD)).json()
    assert (shown["referrals"], shown["after"]) == (0, totals(0, 0))
    assert shown["budgets"] == [{"budget": budget, "left": budget, "exhausted_at": None}]


async def test_a_simulation_of_a_campaign_that_nobody_knows(client: AsyncClient) -> None:
    answer = await client.post(f"/v1/campaigns/{unique('none')}/simulate", json=PERIOD)
    assert_problem(answer, 404, "unknown_campaign")


async def test_others_are_served_while_a_period_is_replayed(database: Database) -> None:
    (acts, _) = await play(database, 5000, 2000)
    month = timedelta(days=30)
    asked = Question(slug=acts.row.campaign_slug, since=NOW - month, until=NOW + month)
    async with database.snapshot() as session:
        period = await read_period(session, asked, at=NOW + timedelta(days=40))
    assert period is not None
    replaying = asyncio.create_task(replay(period, tax_year_start=CALENDAR_YEAR))
    turns = 0
    while not replaying.done():
        turns += 1
        await asyncio.sleep(0)

    assert turns > 2
    assert replaying.result().referrals == 2
