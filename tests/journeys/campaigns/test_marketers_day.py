"""A marketer's day over HTTP: draft, publish, raise, top up, switch off and on, end, defund."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_deposited_pair, create_invited_pair
from sandbox.sportsbook.requests import deposit, unique_id, usd
from stack import Connection

URL = "/v1/campaigns"
ELSEWHERE = "CA-YT"


class Office:
    """The marketer who writes offers, and the colleague who publishes them."""

    def __init__(self, sportsbook: SportsbookClient, approver_key: str) -> None:
        self._sportsbook = sportsbook
        self._approver = {"Authorization": f"Bearer {approver_key}"}

    async def writes(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        return await self._sportsbook.call(method, path, body)

    async def approves(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        answer = await self._sportsbook.call(method, path, body, headers=self._approver)
        return dict(answer.raise_for_status().json())

    async def drafts_and_publishes(self, body: Mapping[str, Any]) -> str:
        slug = str(body["slug"])
        assert (await self.writes("POST", URL, body)).status_code == 201
        refused = await self.writes("POST", f"{URL}/{slug}/publish")
        assert (refused.status_code, refused.json()["code"]) == (403, "second_person_required")
        published = await self.approves("POST", f"{URL}/{slug}/publish")
        assert (published["status"], published["available_budget"]) == (
            "published",
            body["budget"],
        )
        return slug


@pytest.fixture
def office(sportsbook: SportsbookClient, stack: Connection) -> Office:
    return Office(sportsbook, stack.approver_api_key)


async def test_a_marketers_day(sportsbook: SportsbookClient, office: Office) -> None:
    spring, autumn = four_fields("spring", 2500), four_fields("autumn", 1_000_000)
    first = await office.drafts_and_publishes(spring)
    second = await office.drafts_and_publishes(autumn)

    early = await create_invited_pair(sportsbook, first)
    await raise_the_reward(office, spring, to_minor=1500)
    late, _ = await create_deposited_pair(sportsbook, campaign=first)
    assert await rewards_of(sportsbook, late) == [("ISSUED", usd(1500))]
    await sportsbook.send(early.signup())
    await sportsbook.send(deposit(early.referee_id))
    await sportsbook.wait_for_stage(early.referral_id, "REWARDED")
    assert await rewards_of(sportsbook, early) == [("ISSUED", usd(1000))]

    drained, _ = await create_deposited_pair(sportsbook, "DEFERRED", campaign=first)
    funding = {"amount": usd(1500), "reference": unique_id("invoice")}
    await office.approves("POST", f"{URL}/{first}/fund", funding)
    await sportsbook.wait_for_stage(drained.referral_id, "REWARDED")

    await switch_a_jurisdiction_off_and_on(sportsbook, office, second)

    ended = await office.approves("POST", f"{URL}/{second}/end")
    free = ended["available_budget"]
    back = {"amount": free, "reference": unique_id("back"), "reason": "it is over"}
    beyond = back | {"amount": usd(free["minor"] + 1)}
    answer = await office.writes("POST", f"{URL}/{second}/defund", beyond)
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_budget")
    assert (await office.approves("POST", f"{URL}/{second}/defund", back))[
        "available_budget"
    ] == usd(0)
    assert (await sportsbook.wait_until_delivered()).ok


async def test_everything_switched_off_takes_effect_at_once_and_loses_nothing(
    sportsbook: SportsbookClient, office: Office
) -> None:
    slug = await office.drafts_and_publishes(four_fields("switched", 100_000))
    pair = await create_invited_pair(sportsbook, slug)
    code = await sportsbook.code(unique_id("referrer"), slug)
    scope = f"/v1/switches/campaign:{slug}"
    await office.approves("PUT", scope, {"state": "off", "reason": "a wrong amount"})

    click = {"code": code, "visitor_id": unique_id("visitor"), "platform": "web"}
    refused = await office.writes("POST", "/v1/clicks", click)
    assert (refused.status_code, refused.json()["code"]) == (409, "switched_off")
    await sportsbook.send(pair.signup())
    await sportsbook.send(deposit(pair.referee_id))
    waiting = await sportsbook.wait_for_stage(pair.referral_id, "DEFERRED")
    assert waiting.timeline[-1].reason_code == "switched_off"
    assert await rewards_of(sportsbook, pair) == [("DEFERRED", usd(1000))]

    await office.approves("PUT", scope, {"state": "on", "reason": "mended"})
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")


async def raise_the_reward(office: Office, body: Mapping[str, Any], *, to_minor: int) -> None:
    """Propose a higher reward, and let the colleague publish it."""
    path = f"{URL}/{body['slug']}"
    raised = {**body, "terms": {"referrer_reward": usd(to_minor)}}
    proposed = (await office.writes("PUT", path, raised)).json()
    assert proposed["proposal"] == {"version": 2}
    assert proposed["terms"]["referrer_reward"] == body["terms"]["referrer_reward"]
    live = await office.approves("POST", f"{path}/publish")
    assert live["terms"]["referrer_reward"] == usd(to_minor)
    versions = (await office.writes("GET", f"{path}/versions")).json()["items"]
    assert versions[-1]["changes"] == [
        {"field": "terms.referrer_reward.minor", "before": 1000, "after": to_minor}
    ]


async def switch_a_jurisdiction_off_and_on(
    sportsbook: SportsbookClient, office: Office, campaign: str
) -> None:
    here = await create_invited_pair(sportsbook, campaign)
    elsewhere = await create_invited_pair(sportsbook, campaign)
    await office.approves(
        "PUT", f"/v1/switches/jurisdiction:{ELSEWHERE}", {"state": "off", "reason": "a new law"}
    )
    await sportsbook.send(here.signup())
    await sportsbook.send(elsewhere.signup(jurisdiction=ELSEWHERE))
    for pair in (here, elsewhere):
        await sportsbook.send(deposit(pair.referee_id))
    await sportsbook.wait_for_stage(here.referral_id, "REWARDED")
    await sportsbook.wait_for_stage(elsewhere.referral_id, "DEFERRED")
    await office.approves(
        "PUT", f"/v1/switches/jurisdiction:{ELSEWHERE}", {"state": "on", "reason": "permitted"}
    )
    await sportsbook.wait_for_stage(elsewhere.referral_id, "REWARDED")


async def rewards_of(sportsbook: SportsbookClient, pair: Pair) -> list[tuple[str, dict[str, Any]]]:
    answer = await sportsbook.call("GET", "/v1/rewards", params={"referral_id": pair.referral_id})
    return [(item["status"], item["amount"]) for item in answer.json()["items"]]


def four_fields(name: str, budget_minor: int) -> dict[str, Any]:
    return {
        "slug": unique_id(name),
        "name": f"The offer of {name}",
        "budget": usd(budget_minor),
        "terms": {"referrer_reward": usd(1000)},
    }
