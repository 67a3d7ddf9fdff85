"""Bonus bets over HTTP: accepted in terms, and shown apart from cash."""

from dataclasses import replace

from httpx import AsyncClient

from db.engine import Database
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from tests.activities.referral_acts import sign_up
from tests.builders import TERMS, deposit, usd

FLAT = {"flat": {"minor": 1000, "currency": "USD"}}
WRITTEN = [
    {"to": "referrer", "kind": "cash", "amount": FLAT},
    {"to": "referrer", "kind": "bonus_bet", "amount": {"percent": "10"}},
    {"to": "referee", "kind": "bonus_bet", "amount": FLAT},
]
RULES = Rules(rewards=read_rewards(WRITTEN, "terms.rewards", currency="USD"))
BOTH_KINDS = replace(TERMS, referrer_reward=usd(0), rules=RULES)


async def test_a_player_reads_both_balances_and_both_statements(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database, terms=BOTH_KINDS)
    await acts.receives(deposit(acts.referee_id, minor=5000))
    await acts.wake()

    url = f"/v1/players/{acts.row.referrer_id}"
    shown = (await client.get(f"{url}/balance")).json()
    assert shown["available"] == [{"minor": 1000, "currency": "USD"}]
    assert shown["bonus"] == {
        "available": [{"minor": 500, "currency": "USD"}],
        "held": [],
        "owed": [],
    }
    lines = {
        kind: (await client.get(f"{url}/statement", params={"kind": kind})).json()["items"]
        for kind in ("cash", "bonus_bet")
    }
    assert [line["amount"]["minor"] for line in lines["cash"]] == [1000]
    assert [line["amount"]["minor"] for line in lines["bonus_bet"]] == [500]
    rewards = (await client.get("/v1/rewards", params={"referral_id": str(acts.row.id)})).json()
    assert sorted(one["kind"] for one in rewards["items"]) == ["bonus_bet", "bonus_bet", "cash"]
