"""Reminders at the moment of sending: only what is still pending, and where it is allowed."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from pydantic import ValidationError

from courier.notifier import Notifier
from db.engine import Database
from db.tables import Campaign
from domain.campaigns.terms import CampaignStatus, Reminders
from domain.lifecycle.referral import Stage
from referrals.lifecycle.stages import standing_of
from runtime.settings import Settings
from tests.activities.referral_acts import ReferralActs, acts_on
from tests.builders import (
    TERMS,
    TOKENS,
    an_invitation,
    an_offer,
    deposit,
    signup,
    status_change,
    usd,
)
from tests.courier.inbox_of_players import attempts_to, kinds_to, messages_to, notify
from tests.courier.steps import record_and_route

DAY: Final = timedelta(days=1)
NOW: Final = datetime.now(UTC).replace(microsecond=0)
INVITED_AT: Final = NOW - 5 * DAY
REMINDERS: Final = Reminders(signup_after=3 * DAY, deposit_after=5 * DAY)


async def invited(database: Database, reminders: Reminders = REMINDERS) -> ReferralActs:
    terms = replace(TERMS, reminders=reminders, referee_reward=usd(500))
    async with database.transaction() as session:
        offer = await an_offer(session, terms=terms)
        row = await an_invitation(session, offer, invited_at=INVITED_AT)
    return acts_on(database, row)


async def signs_up(acts: ReferralActs, *, jurisdiction: str = "US-NJ") -> str:
    token = TOKENS.issue(acts.row.id, expires_at=NOW + DAY)
    arrival = signup(at=INVITED_AT + DAY, referral_token=token, jurisdiction=jurisdiction)
    player_id, now = arrival.player_id, arrival.occurred_at
    await record_and_route(acts.database, arrival, player_id=player_id, now=now)
    return player_id


async def lives_in(acts: ReferralActs, jurisdiction: str) -> None:
    """Let the referrer have signed up somewhere."""
    referrer = acts.row.referrer_id
    past = signup(referrer, at=INVITED_AT - DAY, jurisdiction=jurisdiction)
    await record_and_route(acts.database, past, player_id=referrer, now=past.occurred_at)


async def time_comes(acts: ReferralActs) -> None:
    """Let the timer fire at which the referral is reminded of."""
    at = standing_of(await acts.stored_row()).until
    standing = await acts.referrals.expire_referral(await acts.act_request(at=at))
    assert standing.until > at


async def test_a_reminder_says_what_is_pending(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await invited(fresh_database)
    await time_comes(acts)
    await notify(fresh_database, notifier)

    (message,) = await messages_to(fresh_database, acts.row.referrer_id)
    assert (message["kind"], message["amount"]) == ("signup_reminder", None)
    assert "is waiting for the signup. It stays open for 24 more days" in message["body"]


async def test_both_are_reminded_of_the_deposit(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await invited(fresh_database)
    referee = await signs_up(acts)
    await notify(fresh_database, notifier)
    await time_comes(acts)
    await notify(fresh_database, notifier)

    assert await kinds_to(fresh_database, acts.row.referrer_id) == [
        "friend_signed_up",
        "deposit_reminder",
    ]
    (message,) = await messages_to(fresh_database, referee)
    assert (message["kind"], message["amount"]) == (
        "deposit_reminder",
        {"minor": 500, "currency": "USD"},
    )
    assert "Whether you use it is up to you." in message["body"]


async def test_what_has_happened_since_is_not_reminded_of(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await invited(fresh_database)
    await time_comes(acts)
    await signs_up(acts)
    await notify(fresh_database, notifier)

    assert ("suppressed", "no_longer_pending") in await attempts_to(
        fresh_database, acts.row.referrer_id, "signup_reminder"
    )
    assert await kinds_to(fresh_database, acts.row.referrer_id) == ["friend_signed_up"]


async def test_a_deposit_that_waits_to_be_scored_is_not_reminded_of(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await invited(fresh_database)
    referee = await signs_up(acts)
    paid = deposit(referee, at=INVITED_AT + 2 * DAY)
    await record_and_route(fresh_database, paid, player_id=referee, now=paid.occurred_at)
    at = standing_of(await acts.stored_row()).until
    assert (await acts.referrals.expire_referral(await acts.act_request(at=at))).stage is (
        Stage.SIGNED_UP
    )
    await notify(fresh_database, notifier)

    assert await kinds_to(fresh_database, referee) == []


@pytest.mark.parametrize("who", ["referrer", "referee"])
async def test_nobody_is_reminded_of_what_an_exclusion_has_ended(
    fresh_database: Database, notifier: Notifier, who: str
) -> None:
    acts = await invited(fresh_database)
    referee = await signs_up(acts)
    await time_comes(acts)
    excluded = acts.row.referrer_id if who == "referrer" else referee
    gone = status_change(excluded, at=INVITED_AT + 2 * DAY)
    await record_and_route(fresh_database, gone, player_id=excluded, now=gone.occurred_at)
    await notify(fresh_database, notifier)

    for player in (acts.row.referrer_id, referee):
        assert "deposit_reminder" not in await kinds_to(fresh_database, player)


@pytest.mark.parametrize("status", [CampaignStatus.PAUSED, CampaignStatus.ENDED])
async def test_nobody_is_reminded_of_a_campaign_that_is_closed(
    fresh_database: Database, notifier: Notifier, status: CampaignStatus
) -> None:
    acts = await invited(fresh_database)
    await time_comes(acts)
    async with fresh_database.transaction() as session:
        campaign = await session.get_one(Campaign, acts.row.campaign_id)
        campaign.status = status
    await notify(fresh_database, notifier)

    assert await attempts_to(fresh_database, acts.row.referrer_id) == [
        ("suppressed", "campaign_closed")
    ]


async def test_of_two_that_are_due_after_an_outage_the_last_is_written(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await invited(fresh_database, replace(REMINDERS, closing_before=26 * DAY))
    at = INVITED_AT + 4 * DAY + timedelta(hours=1)
    await acts.referrals.expire_referral(await acts.act_request(at=at))
    await acts.referrals.expire_referral(await acts.act_request(at=at))
    await notify(fresh_database, notifier)

    assert await kinds_to(fresh_database, acts.row.referrer_id) == ["window_closing"]


@pytest.mark.parametrize(
    ("given", "listed"),
    [(None, ()), ("BR", ("BR",)), ("BR, US-NJ,CA-ON", ("BR", "US-NJ", "CA-ON"))],
)
def test_a_setting_lists_jurisdictions(
    settings: Settings, given: str | None, listed: tuple[str, ...]
) -> None:
    changed = settings.model_copy(update={"no_reminders_in": given})
    assert changed.jurisdictions_without_reminders == listed


@pytest.mark.parametrize("given", ["nj", "BR US", "US-", "everywhere"])
def test_a_setting_that_lists_no_jurisdictions_stops_the_process(
    settings: Settings, given: str
) -> None:
    with pytest.raises(ValidationError, match="no_reminders_in"):
        Settings.model_validate(settings.model_dump() | {"no_reminders_in": given})


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Jurisdictions that are listed, and those of the pair's signups."""

    listed: tuple[str, ...]
    referrer: str | None
    referee: str
    is_told: bool


@pytest.mark.parametrize(
    "places",
    [
        Places(listed=(), referrer=None, referee="US-NJ", is_told=True),
        Places(listed=("US-NJ",), referrer="GB", referee="FR", is_told=True),
        Places(listed=("US-NJ",), referrer="GB", referee="US-NJ", is_told=False),
        Places(listed=("US-NJ",), referrer="US-NJ", referee="GB", is_told=False),
        Places(listed=("US",), referrer="GB", referee="US-NJ", is_told=False),
        Places(listed=("US-NJ",), referrer=None, referee="GB", is_told=False),
    ],
)
@pytest.mark.parametrize("by", ["campaign", "setting"])
async def test_reminders_are_off_where_a_list_forbids_them(
    fresh_database: Database, places: Places, by: str
) -> None:
    setting, campaign = (places.listed, ()) if by == "setting" else ((), places.listed)
    notifier = await notify(fresh_database, Notifier(fresh_database, no_reminders_in=setting))
    acts = await invited(fresh_database, replace(REMINDERS, not_in=campaign))
    if places.referrer:
        await lives_in(acts, places.referrer)
    await signs_up(acts, jurisdiction=places.referee)
    await time_comes(acts)
    await notify(fresh_database, notifier)

    kinds = await kinds_to(fresh_database, acts.row.referrer_id)
    assert ("deposit_reminder" in kinds) is places.is_told
    assert "friend_signed_up" in kinds
