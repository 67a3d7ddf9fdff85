"""Campaigns of several currencies over HTTP: written, explained, simulated, priced once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from db.engine import Database
from domain.money import Money
from referrals.campaigns.exchange.lookup import Promise, each_with_rates
from tests.activities.campaigns.test_currencies import begin, know_rate, paid_in, several
from tests.api.bodies import assert_problem, unique
from tests.api.v1.campaigns.test_explanations import ask
from tests.api.v1.campaigns.test_simulations import CREDITED_AT, simulate

USD_10 = {"minor": 1000, "currency": "USD"}
EUR_9 = {"minor": 900, "currency": "EUR"}
TO_REFERRER = {"to": "referrer", "kind": "cash"}


def draft(currencies: tuple[str, ...] = ("EUR",), **terms: object) -> dict[str, Any]:
    return {
        "slug": unique("offer"),
        "name": "Spring",
        "budget": {"minor": 500_000, "currency": "USD"},
        "currencies": [{"minor": 100_000, "currency": currency} for currency in currencies],
        "terms": terms or {"referrer_reward": USD_10},
    }


@pytest.mark.parametrize(
    "terms",
    [
        {"referrer_reward": USD_10},
        {"referrer_reward": USD_10, "referee_reward": {"minor": 500, "currency": "USD"}},
        {"rewards": [{**TO_REFERRER, "amount": {"flat": EUR_9}}]},
        {
            "rewards": [
                {
                    **TO_REFERRER,
                    "amount": {"by_jurisdiction": {"DE": {"flat": EUR_9}, "*": {"flat": USD_10}}},
                }
            ]
        },
        {"rewards": [{**TO_REFERRER, "amount": {"percent": "10", "maximum": EUR_9}}]},
    ],
)
async def test_terms_in_several_currencies_can_be_written_again(
    client: AsyncClient, terms: dict[str, Any]
) -> None:
    first = await client.post("/v1/campaigns", json=draft(**terms))
    assert first.status_code == 201, first.text
    shown = first.json()["terms"]
    assert shown["referrer_reward"] == terms.get("referrer_reward")
    again = await client.post("/v1/campaigns", json=draft(**shown))
    assert again.status_code == 201, again.text
    assert again.json()["terms"] == shown


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (
            {"rewards": [{**TO_REFERRER, "amount": {"flat": {"minor": 1, "currency": "GBP"}}}]},
            "terms.rewards[0].amount.flat.currency",
        ),
        ({"referrer_reward": EUR_9}, "terms.referrer_reward.currency"),
        ({"referrer_reward": USD_10, "minimum_deposit": EUR_9}, "terms.minimum_deposit.currency"),
        (
            {"referrer_reward": USD_10, "qualifies": {"turnover": EUR_9}},
            "terms.qualifies.turnover.currency",
        ),
        (
            {
                "referrer_reward": USD_10,
                "limits": [{"of": "referrer", "per": "day", "amount": EUR_9}],
            },
            "terms.limits[0].amount.currency",
        ),
        (
            {
                "rewards": [
                    {
                        **TO_REFERRER,
                        "amount": {"percent": "1", "minimum": USD_10, "maximum": EUR_9},
                    }
                ]
            },
            "terms.rewards[0].amount.maximum.currency",
        ),
    ],
)
async def test_a_sum_of_the_wrong_currency_is_refused_with_its_path(
    client: AsyncClient, terms: dict[str, Any], field: str
) -> None:
    answer = await client.post("/v1/campaigns", json=draft(**terms))
    assert_problem(answer, 422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == field


async def test_rates_recorded_after_the_invitation_change_no_promise(database: Database) -> None:
    await know_rate(database, "MXN", "18", days=2)
    async with database.reading() as session:
        now: datetime = (await session.execute(text("select clock_timestamp()"))).scalar_one()
    await know_rate(database, "MXN", "19", days=1)
    promise = Promise(referral_id=uuid4(), invited_at=now, terms=several("MXN"))
    earlier = Promise(
        referral_id=uuid4(), invited_at=now - timedelta(days=3650), terms=several("MXN")
    )
    async with database.reading() as session:
        terms, without = await each_with_rates(session, [promise, earlier])
    rates = {currency: table.rate_of("MXN") for currency, table in terms.rules.rate_tables}
    assert rates == {"MXN": "18"}
    assert without.rules.rate_tables == ()


async def test_explain_and_simulate_pay_in_the_deposit_s_currency(
    client: AsyncClient, database: Database
) -> None:
    await know_rate(database, "THB", "33.3")
    acts = await begin(database, several("THB"), THB=40_000)
    await acts.receives(paid_in(acts, 50_000, "THB"))
    (reward,) = (await ask(client, acts))["rewards"]
    assert reward["amount"] == {"minor": 33_300, "currency": "THB"}
    assert reward["computation"]["rate"] == "33.3"

    assert (await simulate(client, acts))["after"] == {
        "rewards": 1,
        "cost": [{"minor": 33_300, "currency": "THB"}],
    }
    await acts.credit(at=CREDITED_AT)
    shown = await simulate(client, acts)
    assert shown["before"] == shown["after"]
    assert Money(**reward["amount"]) == Money(33_300, "THB")
    assert datetime.now(UTC) > CREDITED_AT
