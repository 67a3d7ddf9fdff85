"""Groups of the funnel: one for all spellings that conditions of a campaign take for the same."""

from typing import Final

import pytest
from httpx import AsyncClient

from db.engine import Database
from referrals.campaigns.codes import record_share
from tests.builders import NOW, a_code, an_invitation, an_offer, signup
from tests.courier.steps import sign_up, token_of

PLACES: Final = ("US-NJ", " us_nj ", "UK", "gb", "other", "", " ")
PLATFORMS: Final = ("web", "WEB", " web ", "iOS", "other", "", "\t")
CHANNELS: Final = ("WhatsApp", "whatsapp", "email")


@pytest.fixture(scope="module")
async def campaign(database: Database) -> str:
    """Play a campaign whose signups are spelled in many ways; blank ones are of release 0.2."""
    async with database.transaction() as session:
        offer = await an_offer(session)
        invited = [await an_invitation(session, offer) for _ in PLACES]
        shared = await a_code(session, offer)
        for channel in CHANNELS:
            await record_share(session, code=shared.code, channel=channel, at=NOW)
    for row, place, platform in zip(invited, PLACES, PLATFORMS, strict=True):
        token = token_of(row)
        arrival = signup(referral_token=token, jurisdiction=place, platform=platform)
        await sign_up(database, arrival)
    return offer.campaign.slug


@pytest.mark.parametrize(
    ("by", "what", "expected"),
    [
        ("jurisdiction", "signups", {"GB": 2, "US-NJ": 2, "other": 1, None: 2}),
        ("platform", "signups", {"ios": 1, "other": 1, "web": 3, None: 2}),
        ("channel", "shares", {"email": 1, "whatsapp": 2, None: 0}),
    ],
)
async def test_spellings_of_the_same_are_one_group_and_blank_ones_the_unknown_one(
    client: AsyncClient, campaign: str, by: str, what: str, expected: dict[str | None, int]
) -> None:
    answer = await client.get(f"/v1/reports/funnel?campaign={campaign}&by={by}")

    assert answer.status_code == 200
    rows = answer.json()["rows"]
    assert [(row[by], row[what]) for row in rows] == [*expected.items()]
