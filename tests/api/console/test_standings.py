"""A referral's page: what it waits for, what time brings, and which of its money is bonus bets."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.console.standings import POSTPONED, STEPS, next_step_of
from db.engine import Database
from domain.lifecycle.referral import OPEN_STAGES, Stage
from domain.rewards.holds import Hold, HoldReason
from referrals.access.console.roles import Role
from referrals.rewards import holds
from tests.activities.campaigns.test_bonus_bets import BOTH_KINDS
from tests.activities.referral_acts import sign_up
from tests.api.bodies import unique
from tests.api.console.signed_in import signed_in
from tests.api.staged_referrals import referral_at_stage
from tests.builders import deposit

SWITCH: Final = "campaign:spring"
NEXT_STEPS: Final[Sequence[tuple[Stage, HoldReason | None, tuple[str, ...], str]]] = (
    (Stage.INVITED, None, (), "it will expire in"),
    (Stage.SIGNED_UP, None, (), "it will expire in"),
    (Stage.HELD, HoldReason.HOLD_PERIOD, (), "it will be credited in"),
    (Stage.HELD, HoldReason.REVIEW, ("same_device",), "it will be escalated in"),
    (Stage.HELD, HoldReason.REVIEW, ("signal_unavailable",), "it will be looked at again in"),
    (Stage.HELD, HoldReason.INELIGIBLE, ("referee_excluded",), "it will be escalated in"),
    (Stage.HELD, HoldReason.PAYMENT_REFUSED, ("closed",), "it will be escalated in"),
    (Stage.HELD, HoldReason.PAYMENT_PENDING, (), "it will be looked at again in"),
    (Stage.HELD, HoldReason.SWITCHED_OFF, (SWITCH,), "it will be looked at again in"),
    (Stage.DEFERRED, HoldReason.LIMIT, (), "it will be looked at again in"),
    (Stage.DEFERRED, HoldReason.FUNDS, (), "it will be looked at again in"),
    (Stage.DEFERRED, HoldReason.TAX, (), "it will be looked at again in"),
    (Stage.DEFERRED, HoldReason.SWITCHED_OFF, (SWITCH,), "it will be looked at again in"),
    (Stage.REWARDED, None, (), "it will be settled in"),
)


@pytest.mark.parametrize("nth", range(len(NEXT_STEPS)))
async def test_a_page_says_what_becomes_of_a_referral_in_time(
    app: FastAPI, client: AsyncClient, database: Database, nth: int
) -> None:
    stage, reason, detail, sentence = NEXT_STEPS[nth]
    staged = await referral_at_stage(client, database, to=stage)
    now = datetime.now(UTC)
    wanted = [Hold(reason=reason, since=now, detail=detail)] if reason else []
    async with database.transaction() as session:
        await holds.set_holds(session, staged.referral_id, wanted, attempt=1, at=now)

    page = await page_of(app, database, str(staged.referral_id))

    assert sentence in page
    if stage is Stage.DEFERRED and reason:
        assert POSTPONED[reason] in page
        assert (f"{SWITCH}." in page) == (reason is HoldReason.SWITCHED_OFF)


def test_every_open_stage_has_a_step_and_no_other_one() -> None:
    now = datetime.now(UTC)
    assert set(STEPS) == OPEN_STAGES
    for stage in Stage:
        is_told = next_step_of(stage, (), until=now, now=now) is not None
        assert is_told == (stage in OPEN_STAGES)


def test_a_time_that_has_passed_says_what_was_due() -> None:
    now = datetime.now(UTC)
    told = next_step_of(Stage.REWARDED, (), until=now - timedelta(hours=2), now=now)
    assert told == "It was due to be settled 2 hours ago."


async def test_bonus_bets_are_told_apart_from_cash(app: FastAPI, database: Database) -> None:
    acts = await sign_up(database, terms=BOTH_KINDS)
    await acts.receives(deposit(acts.referee_id, minor=5000))
    assert await acts.wake() is Stage.REWARDED

    referral = await page_of(app, database, str(acts.row.id))
    heading = referral.partition("<h1>")[2].partition("</h1>")[0]
    assert heading.startswith("Rewarded: ")
    assert set(heading.removeprefix("Rewarded: ").split(" + ")) == {
        "$10.00", "$5.00 in bonus bets", "$10.00 in bonus bets",
    }  # fmt: skip
    name = unique("Ada")
    async with signed_in(app, database, role=Role.ADMIN, name=name) as admin:
        player = (await admin.opens(f"/console/players/{acts.referee_id}")).text
        rows = (await admin.opens(f"/console/referrals?player={acts.referee_id}&format=csv")).text
    assert "Bonus bets available" in player
    assert "Bonus bets owed" not in player
    assert "5.00 USD in bonus bets" in rows


async def page_of(app: FastAPI, database: Database, referral_id: str) -> str:
    async with signed_in(app, database, role=Role.SUPPORT, name=unique("Sue")) as support:
        return (await support.opens(f"/console/referrals/{referral_id}")).text
