"""Reminders in the terms of a campaign: kept, shown, and within the windows they remind of."""

from typing import Any, Final

import pytest
from httpx import AsyncClient

from tests.api.bodies import assert_problem, campaign, publish_campaign, terms

URL: Final = "/v1/campaigns"
ALL: Final = {
    "signup_after": "P3D",
    "deposit_after": "P5D",
    "closing_before": "P2D",
    "not_in": ["BR", "US-NJ"],
}


async def test_reminders_are_shown_as_they_were_written(client: AsyncClient) -> None:
    slug = await publish_campaign(client, terms=terms(reminders=ALL))
    assert (await client.get(f"{URL}/{slug}")).json()["terms"]["reminders"] == ALL


async def test_each_of_them_is_optional(client: AsyncClient) -> None:
    slug = await publish_campaign(client, terms=terms(reminders={"deposit_after": "P5D"}))
    assert (await client.get(f"{URL}/{slug}")).json()["terms"]["reminders"] == {
        "signup_after": None,
        "deposit_after": "P5D",
        "closing_before": None,
        "not_in": [],
    }


@pytest.mark.parametrize("reminders", [None, {}, {"not_in": ["BR"]}])
async def test_reminders_without_a_time_are_none(
    client: AsyncClient, reminders: dict[str, Any] | None
) -> None:
    slug = await publish_campaign(client, terms=terms(reminders=reminders))
    assert (await client.get(f"{URL}/{slug}")).json()["terms"]["reminders"] is None


async def test_a_campaign_has_none_unless_it_says_so(client: AsyncClient) -> None:
    slug = await publish_campaign(client)
    assert (await client.get(f"{URL}/{slug}")).json()["terms"]["reminders"] is None


@pytest.mark.parametrize(
    ("reminders", "field"),
    [
        ({"signup_after": "P30D"}, "signup_after"),
        ({"deposit_after": "P31D"}, "deposit_after"),
        ({"closing_before": "P30D"}, "closing_before"),
        ({"signup_after": "PT0S"}, "signup_after"),
        ({"signup_after": "3 days"}, "signup_after"),
        ({"not_in": ["nj"]}, "not_in.0"),
        ({"weekly": True}, "weekly"),
    ],
)
async def test_a_reminder_that_could_never_be_sent_is_refused(
    client: AsyncClient, reminders: dict[str, Any], field: str
) -> None:
    answer = await client.post(URL, json=campaign(terms=terms(reminders=reminders)))

    assert_problem(answer, 422, "validation_failed")
    assert [error["field"] for error in answer.json()["errors"]] == [f"terms.reminders.{field}"]
