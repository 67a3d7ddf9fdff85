"""Signups of invitations that have EXPIRED: those in time count, however late they are reported."""

from datetime import datetime, timedelta
from typing import Final

import pytest

from db.engine import Database
from db.tables import AttemptRow
from domain.intake.facts import Signup
from domain.lifecycle.referral import REOPEN_WINDOW, Stage
from tests import state
from tests.builders import NOW, TERMS, a_player_id, deposit, signup, unique
from tests.courier.steps import (
    InvitedReferral,
    end_campaign,
    invite,
    logged_attempt,
    pending_signals,
    record_and_route,
    record_facts,
    referral,
    referrals_of,
    route,
    set_stage,
)

SOON: Final = NOW + timedelta(minutes=5)
EXPIRED_AT: Final = NOW + TERMS.signup_window + TERMS.lateness_grace
LATE: Final = EXPIRED_AT + REOPEN_WINDOW
TOO_LATE: Final = LATE + timedelta(seconds=1)


async def expired_invitation(database: Database, *, visitor: str | None = None) -> InvitedReferral:
    link = await invite(database, visitor=visitor)
    await set_stage(database, link.row, Stage.EXPIRED, until=EXPIRED_AT)
    return link


async def report(database: Database, arrival: Signup, *, now: datetime) -> AttemptRow:
    await record_and_route(database, arrival, player_id=arrival.player_id, now=now)
    return await logged_attempt(database, arrival)


@pytest.mark.parametrize("presented", ["referral_token", "cookie_token"])
async def test_a_signup_in_time_reopens_its_invitation(
    fresh_database: Database, presented: str
) -> None:
    database = fresh_database
    link = await expired_invitation(database)
    arrival = signup(at=SOON, **{presented: link.token})

    decided = await report(database, arrival, now=LATE)

    row = await referral(database, link)
    assert (decided.outcome, decided.referral_id) == ("bound", link.row.id)
    assert (row.stage, row.referee_id) == (Stage.SIGNED_UP, arrival.player_id)
    assert (row.signed_up_at, row.until) == (SOON, LATE + TERMS.lateness_grace)
    assert await state.reason(database, row.id) == (
        "what it had waited for was in time, and was reported late"
    )
    assert await pending_signals(database, row) == ["look", "sign_up"]
    assert await state.violated_invariants(database) == {}


async def test_a_code_typed_beside_the_link_reopens_the_invitation(database: Database) -> None:
    link = await expired_invitation(database)
    arrival = signup(at=SOON, referral_token=link.token, code=link.row.code)

    decided = await report(database, arrival, now=LATE)

    assert (decided.outcome, decided.referral_id) == ("bound", link.row.id)


async def test_a_deposit_reported_with_the_late_signup_is_delivered(database: Database) -> None:
    link, player = await expired_invitation(database), a_player_id()
    arrival = signup(player, at=SOON, referral_token=link.token)

    await record_and_route(database, arrival, deposit(player, at=NOW), player_id=player, now=LATE)

    row = await referral(database, link)
    assert await pending_signals(database, row) == ["look", "look", "sign_up"]


@pytest.mark.parametrize(
    ("at", "now"),
    [(SOON, TOO_LATE), (NOW + TERMS.signup_window + timedelta(seconds=1), EXPIRED_AT)],
    ids=["reported after the reopen window", "after the signup window"],
)
async def test_another_signup_refers_nobody_and_says_why(
    database: Database, at: datetime, now: datetime
) -> None:
    link = await expired_invitation(database)
    arrival = signup(at=at, referral_token=link.token)

    decided = await report(database, arrival, now=now)

    assert decided.outcome == "expired_token"
    assert await referrals_of(database, arrival.player_id) == []
    assert (await referral(database, link)).stage is Stage.EXPIRED


async def test_a_player_who_was_bound_elsewhere_reopens_nothing(database: Database) -> None:
    link, other, player = await expired_invitation(database), await invite(database), a_player_id()
    await report(database, signup(player, at=SOON, referral_token=other.token), now=SOON)

    decided = await report(
        database, signup(player, at=SOON, referral_token=link.token), now=EXPIRED_AT
    )

    assert decided.outcome == "existing_player"
    assert (await referral(database, link)).stage is Stage.EXPIRED
    assert len(await referrals_of(database, player)) == 1


async def test_the_campaign_need_not_be_open_any_more(database: Database) -> None:
    link = await expired_invitation(database)
    await end_campaign(database, link.row)

    decided = await report(database, signup(at=SOON, referral_token=link.token), now=LATE)

    assert decided.referral_id == link.row.id


async def test_a_second_player_of_the_token_has_a_referral_of_their_own(
    database: Database,
) -> None:
    link = await expired_invitation(database)
    first, second = (signup(at=SOON, referral_token=link.token) for _ in range(2))

    await report(database, first, now=LATE)
    await report(database, second, now=LATE)

    assert (await referral(database, link)).referee_id == first.player_id
    (row,) = await referrals_of(database, second.player_id)
    assert (row.id == link.row.id, row.code) == (False, link.row.code)


async def test_an_open_invitation_of_the_visitor_is_lost(database: Database) -> None:
    visitor = unique("visitor")
    link = await expired_invitation(database, visitor=visitor)
    other = await invite(database, visitor=visitor)

    await report(database, signup(at=SOON, referral_token=link.token), now=EXPIRED_AT)

    assert (await referral(database, link)).stage is Stage.SIGNED_UP
    assert (await referral(database, other)).stage is Stage.LOST


async def test_the_signup_reported_again_changes_nothing(database: Database) -> None:
    link = await expired_invitation(database)
    arrival = signup(at=SOON, referral_token=link.token)
    await report(database, arrival, now=LATE)

    await record_facts(database, arrival, player_id=arrival.player_id)
    await route(database, arrival.player_id, now=LATE)

    stages = await state.stages(database, link.row.id)
    assert stages == [Stage.INVITED, Stage.SIGNED_UP]
