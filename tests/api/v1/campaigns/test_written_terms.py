"""Rewards, qualifying action and conditions of a campaign's terms over HTTP."""

import json
from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.bodies import assert_problem, unique

USD_10 = {"minor": 1000, "currency": "USD"}
USD_5 = {"minor": 500, "currency": "USD"}
TO_REFERRER = {"to": "referrer", "kind": "cash", "amount": {"flat": USD_10}}
TO_REFEREE = {"to": "referee", "kind": "cash", "amount": {"flat": USD_5}}


def _short(**terms: object) -> dict[str, Any]:
    budget = {"minor": 500_000, "currency": "USD"}
    return {"slug": unique("offer"), "name": "Spring", "budget": budget, "terms": terms}


async def test_rewards_promise_the_same_as_the_fields_of_each_side(client: AsyncClient) -> None:
    answer = await client.post("/v1/campaigns", json=_short(rewards=[TO_REFEREE, TO_REFERRER]))
    assert answer.status_code == 201, answer.text
    terms = answer.json()["terms"]
    assert (terms["referrer_reward"], terms["referee_reward"]) == (USD_10, USD_5)


@pytest.mark.parametrize(
    ("qualifies", "minor"),
    [
        ({"on": "any_deposit", "minimum": USD_5, "turnover": None}, 500),
        ({"on": "any_deposit"}, 1000),
        ({"on": "any_deposit", "minimum": None}, 0),
    ],
)
async def test_qualifies_sets_the_minimum_deposit(
    client: AsyncClient, qualifies: dict[str, Any], minor: int
) -> None:
    body = _short(referrer_reward=USD_10, qualifies=qualifies)
    answer = await client.post("/v1/campaigns", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["terms"]["minimum_deposit"] == {"minor": minor, "currency": "USD"}


async def test_a_reward_may_go_to_the_referee_alone(client: AsyncClient) -> None:
    answer = await client.post("/v1/campaigns", json=_short(rewards=[TO_REFEREE]))
    terms = answer.json()["terms"]
    assert (terms["referrer_reward"]["minor"], terms["referee_reward"]) == (0, USD_5)


@pytest.mark.parametrize(
    "rules",
    [
        {"qualifies": {"minimum": None}},
        {"qualifies": {"on": "first_deposit", "minimum": USD_5}},
        {"qualifies": {"on": "total_deposits", "turnover": USD_10}},
        {"when": {"not": {"field": "time.hour", "op": "gte", "value": 12}}},
        {
            "rewards": [
                {**TO_REFERRER, "amount": {"percent": "12.5", "maximum": USD_10}},
                TO_REFEREE,
            ]
        },
        {"rewards": [{**TO_REFERRER, "amount": {"by_jurisdiction": {"*": {"flat": USD_5}}}}]},
    ],
)
async def test_the_terms_that_are_shown_can_be_written_again(
    client: AsyncClient, rules: dict[str, Any]
) -> None:
    flat = {} if "rewards" in rules else {"referrer_reward": USD_10, "referee_reward": USD_5}
    body = _short(**flat, **rules)
    shown = (await client.post("/v1/campaigns", json=body)).json()["terms"]
    again = await client.post("/v1/campaigns", json={**_short(), "terms": shown})
    assert again.status_code == 201, again.text
    assert again.json()["terms"] == shown


@pytest.mark.parametrize(
    ("terms", "path"),
    [
        ({}, "terms.referrer_reward"),
        ({"rewards": [TO_REFERRER], "referrer_reward": USD_10}, "terms.referrer_reward"),
        ({"rewards": [TO_REFERRER], "referee_reward": USD_5}, "terms.referee_reward"),
        ({"rewards": []}, "terms.rewards"),
        ({"rewards": [TO_REFERRER, TO_REFERRER]}, "terms.rewards[1].to"),
        ({"rewards": [{**TO_REFERRER, "to": "house"}]}, "terms.rewards[0].to"),
        ({"rewards": [{**TO_REFERRER, "kind": "free_spin"}]}, "terms.rewards[0].kind"),
        (
            {"rewards": [{**TO_REFERRER, "kind": "bonus_bet"}] * 2},
            "terms.rewards[1].to",
        ),
        (
            {"rewards": [{**TO_REFERRER, "amount": {"percent": "1e1"}}]},
            "terms.rewards[0].amount.percent",
        ),
        (
            {"rewards": [{**TO_REFERRER, "amount": {"flat": {"minor": 5, "currency": "EUR"}}}]},
            "terms.rewards[0].amount.flat.currency",
        ),
        (
            {
                "rewards": [TO_REFERRER],
                "minimum_deposit": USD_10,
                "qualifies": {"on": "any_deposit", "minimum": USD_10},
            },
            "terms.minimum_deposit",
        ),
        ({"rewards": [TO_REFERRER], "qualifies": {"on": "signup"}}, "terms.qualifies.on"),
        (
            {"rewards": [TO_REFERRER], "qualifies": {"turnover": {**USD_10, "currency": "EUR"}}},
            "terms.qualifies.turnover.currency",
        ),
        (
            {
                "rewards": [TO_REFERRER],
                "when": {
                    "all": [
                        {"field": "deposit.method", "op": "not_in", "value": ["voucher"]},
                        {"any": [{"field": "deposit.amount", "op": "lt", "value": 2500}]},
                    ]
                },
            },
            "terms.when.all[1].any[0].value",
        ),
    ],
)
async def test_refuses_terms_by_the_path_of_what_is_wrong(
    client: AsyncClient, terms: dict[str, Any], path: str
) -> None:
    answer = await client.post("/v1/campaigns", json=_short(**terms))
    assert_problem(answer, 422, "validation_failed", path)


LEAF = '{"field": "deposit.method", "op": "eq", "value": "(a+)+$"}'


@pytest.mark.parametrize(
    ("when", "path"),
    [
        ('{"all": [' * 500 + LEAF + "]}" * 500, "terms.when" + ".all[0]" * 11),
        ('{"not": ' * 100_000 + LEAF + "}" * 100_000, "terms.when" + ".not" * 22),
        ('{"not": ' * 500 + LEAF + "}" * 500, "terms.when" + ".not" * 8),
        (f'{{"any": [{", ".join([LEAF] * 10_000)}]}}', "terms.when.any[99]"),
    ],
    ids=["unparsable", "bomb", "deep", "wide"],
)
async def test_refuses_a_hostile_tree_with_its_path(
    client: AsyncClient, when: str, path: str
) -> None:
    body = json.dumps(_short(referrer_reward=USD_10, when="WHEN")).replace('"WHEN"', when)
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/campaigns", content=body, headers=headers)
    assert_problem(answer, 422, "validation_failed", path)
