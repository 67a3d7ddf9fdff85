"""The decision about a signup: bound to one referral, or refused with a reason."""

from datetime import timedelta

import pytest

from db.engine import Database
from domain.attribution.policy import Method
from domain.campaigns.terms import CampaignStatus
from domain.lifecycle.referral import Stage
from tests.builders import NOW, TERMS, a_code, a_player_id, an_offer, signup, unique
from tests.courier.steps import (
    a_shared_code,
    end_campaign,
    invite,
    invite_twice,
    pending_signals,
    record_facts,
    referral,
    referrals_of,
    route,
    sign_up,
    touches_of,
)

SOON = NOW + timedelta(minutes=5)


async def test_binds_a_token_to_the_invitation_it_was_issued_for(database: Database) -> None:
    link = await invite(database)
    arrival = signup(at=SOON, referral_token=link.token)

    decided = await sign_up(database, arrival)

    row = await referral(database, link)
    assert (decided.outcome, decided.referral_id) == ("bound", row.id)
    assert (row.referee_id, row.stage) == (arrival.player_id, Stage.SIGNED_UP)
    assert (row.signed_up_at, row.signup_event_id) == (SOON, arrival.event_id)
    assert (row.attribution_method, row.attribution_confidence) == (Method.REFERRAL_TOKEN, 1.0)
    assert row.until == SOON + TERMS.deposit_window + TERMS.lateness_grace
    assert await pending_signals(database, row) == ["sign_up"]


async def test_opens_a_referral_for_a_code_typed_in_any_case(database: Database) -> None:
    code = await a_shared_code(database)
    arrival = signup(code=f" {code.lower()} ")

    await sign_up(database, arrival)

    (row,) = await referrals_of(database, arrival.player_id)
    assert (row.code, row.stage, row.invited_at) == (code, Stage.SIGNED_UP, arrival.occurred_at)
    assert row.attribution_method is Method.TYPED_CODE


@pytest.mark.parametrize(
    ("token", "code", "outcome"),
    [
        (None, None, "no_touch"),
        (None, "NOBODYS", "unknown_code"),
        ("forged", None, "forged_token"),
        ("\N{SNOWMAN}" * 64, None, "forged_token"),
        ("forged", "NOBODYS", "unknown_code"),
    ],
)
async def test_says_why_a_signup_belongs_to_nobody(
    database: Database, token: str | None, code: str | None, outcome: str
) -> None:
    arrival = signup(referral_token=token, code=code)

    decided = await sign_up(database, arrival)

    assert (decided.outcome, decided.referral_id) == (outcome, None)
    assert await referrals_of(database, arrival.player_id) == []


async def test_refuses_a_token_that_was_cut(database: Database) -> None:
    link = await invite(database)

    decided = await sign_up(database, signup(referral_token=link.token[:-3]))

    assert decided.outcome == "forged_token"


async def test_refuses_a_token_after_its_window(database: Database) -> None:
    link = await invite(database)
    late = NOW + TERMS.signup_window + timedelta(seconds=1)

    decided = await sign_up(database, signup(at=late, referral_token=link.token))

    assert decided.outcome == "expired_token"
    assert (await referral(database, link)).stage is Stage.INVITED


async def test_a_click_years_after_the_signup_attributes_nothing(database: Database) -> None:
    link = await invite(database)
    long_ago = NOW - timedelta(days=365)

    decided = await sign_up(database, signup(at=long_ago, referral_token=link.token))

    assert decided.outcome == "existing_player"
    assert (await referral(database, link)).stage is Stage.INVITED


async def test_a_signup_in_time_counts_although_it_arrives_late(database: Database) -> None:
    link = await invite(database)
    in_time = NOW + TERMS.signup_window - timedelta(seconds=1)
    heard_at = NOW + timedelta(days=90)
    arrival = signup(at=in_time, referral_token=link.token)

    await record_facts(database, arrival, player_id=arrival.player_id)
    await route(database, arrival.player_id, now=heard_at)

    row = await referral(database, link)
    assert (row.stage, row.until) == (Stage.SIGNED_UP, heard_at + TERMS.lateness_grace)


async def test_a_code_typed_at_the_signup_is_kept_as_a_touch_of_its_player(
    database: Database,
) -> None:
    code = await a_shared_code(database)
    presented = signup(code=f" {code.lower()}", device_id="hm1:phone", ip="hm1:home")
    mistaken = signup(code="NOBODYS")

    for arrival in (presented, mistaken):
        await sign_up(database, arrival)

    (kept,), (refused,) = [await touches_of(database, one) for one in (presented, mistaken)]
    assert (kept.method, kept.code, kept.at, kept.refusal) == ("typed_code", code, NOW, None)
    assert (kept.device_id, kept.ip, kept.campaign_slug is None) == ("hm1:phone", "hm1:home", False)
    assert (refused.code, refused.refusal) == (None, "unknown_code")


async def test_a_good_code_makes_up_for_a_forged_token(database: Database) -> None:
    code = await a_shared_code(database)

    decided = await sign_up(database, signup(referral_token="forged", code=code))  # noqa: S106

    assert decided.outcome == "bound"
    assert [(touch["method"], touch["outcome"]) for touch in decided.touches] == [
        ("referral_token", "forged_token"),
        ("typed_code", "won"),
    ]


async def test_a_typed_code_goes_before_a_token_whose_referral_is_lost(database: Database) -> None:
    link, code = await invite(database), await a_shared_code(database)
    arrival = signup(referral_token=link.token, code=code)

    await sign_up(database, arrival)

    (row,) = await referrals_of(database, arrival.player_id)
    lost = await referral(database, link)
    assert (row.code, row.attribution_method) == (code, Method.TYPED_CODE)
    assert lost.stage is Stage.LOST
    assert await pending_signals(database, lost) == ["supersede"]


async def test_a_code_typed_from_a_link_continues_the_invitation_of_the_link(
    database: Database,
) -> None:
    link = await invite(database)

    decided = await sign_up(database, signup(referral_token=link.token, code=link.row.code))

    assert (decided.outcome, decided.referral_id) == ("bound", link.row.id)


async def test_a_code_of_a_campaign_that_had_ended_at_the_signup_binds_nobody(
    database: Database,
) -> None:
    code = await a_shared_code(database, ends_at=NOW)

    before = await sign_up(database, signup(at=NOW - timedelta(seconds=1), code=code))
    after = await sign_up(database, signup(at=NOW, code=code))

    assert (before.outcome, after.outcome) == ("bound", "campaign_ended")


async def test_a_paused_campaign_takes_no_typed_codes(database: Database) -> None:
    async with database.transaction() as session:
        offer = await an_offer(session, status=CampaignStatus.PAUSED)
        code = (await a_code(session, offer)).code

    assert (await sign_up(database, signup(code=code))).outcome == "campaign_paused"


async def test_a_token_used_by_another_player_opens_a_referral_of_its_code(
    database: Database,
) -> None:
    link = await invite(database)
    first, second = signup(referral_token=link.token), signup(referral_token=link.token)

    await sign_up(database, first)
    await sign_up(database, second)

    (row,) = await referrals_of(database, second.player_id)
    assert (await referral(database, link)).referee_id == first.player_id
    assert (row.code, row.id == link.row.id) == (link.row.code, False)


async def test_a_token_used_by_another_player_invites_no_longer_than_its_campaign(
    database: Database,
) -> None:
    link = await invite(database)
    await sign_up(database, signup(referral_token=link.token))
    await end_campaign(database, link.row)
    late = signup(referral_token=link.token)

    decided = await sign_up(database, late)

    assert (decided.outcome, await referrals_of(database, late.player_id)) == ("campaign_ended", [])


async def test_a_player_is_referred_once(database: Database) -> None:
    player, code, link = a_player_id(), await a_shared_code(database), await invite(database)

    first = await sign_up(database, signup(player, code=code))
    second = await sign_up(database, signup(player, referral_token=link.token))

    assert (first.outcome, second.outcome) == ("bound", "existing_player")
    assert len(await referrals_of(database, player)) == 1
    assert (await referral(database, link)).stage is Stage.INVITED


async def test_binds_a_player_to_their_own_code_for_fraud_scoring_to_judge(
    database: Database,
) -> None:
    link = await invite(database)

    decided = await sign_up(database, signup(link.row.referrer_id, referral_token=link.token))

    assert decided.outcome == "self"
    assert (await referral(database, link)).stage is Stage.SIGNED_UP


async def test_other_invitations_of_the_same_visitor_are_lost(database: Database) -> None:
    winner, loser = await invite_twice(database, unique("visitor"))

    await sign_up(database, signup(referral_token=winner.token))

    row = await referral(database, loser)
    assert (row.stage, row.referee_id) == (Stage.LOST, None)
    assert await pending_signals(database, row) == ["supersede"]


async def test_the_token_of_a_lost_referral_opens_a_new_one(database: Database) -> None:
    winner, loser = await invite_twice(database, unique("visitor"))
    await sign_up(database, signup(referral_token=winner.token))
    arrival = signup(referral_token=loser.token)

    await sign_up(database, arrival)

    (row,) = await referrals_of(database, arrival.player_id)
    assert (row.code, row.id == loser.row.id) == (loser.row.code, False)
