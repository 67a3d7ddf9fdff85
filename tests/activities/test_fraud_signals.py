"""Signals of fraud about a pair, from the reported facts to the reward."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from db.engine import Database
from db.tables import AssessmentRow, CaseRequest
from domain.fraud.rule_sets import BASE
from domain.fraud.rules import Verdict
from domain.fraud.snapshot import Snapshot, Velocity
from domain.fraud.thresholds import Thresholds
from domain.intake.facts import Choice, Withdrawal
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.fraud import assessments, rule_sets
from referrals.lifecycle import stages
from tests.activities.referral_acts import (
    LATER,
    ReferralActs,
    acts_on,
    card_of,
    record_referrer_deposit,
    record_referrer_signup,
    sign_up,
)
from tests.builders import NOW, TERMS, deposit, signup, unique, usd

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
STRICT: Final = replace(TERMS, requires=("device_id", "payment_instrument"))


async def latest_assessment(acts: ReferralActs) -> AssessmentRow:
    async with acts.database.reading() as session:
        row = await acts.stored_row()
        found = await assessments.find_assessment(session, row.assessment_id)
    assert found
    return found


def withdrawal(player_id: str, *, after: timedelta) -> Withdrawal:
    return Withdrawal(
        event_id=unique("withdrawal"),
        occurred_at=NOW + HOUR + after,
        player_id=player_id,
        withdrawal_id=unique("w"),
        amount=usd(),
    )


async def test_evidence_that_the_campaign_requires_and_nobody_reported_is_reviewed(
    database: Database,
) -> None:
    acts = await sign_up(database, terms=STRICT)
    await acts.receives(deposit(acts.referee_id, device_id=card_of(acts)))

    assert (await acts.credit()).stage is Stage.HELD
    assert "missing_evidence" in (await latest_assessment(acts)).reasons


async def test_required_evidence_that_was_reported_is_no_reason(database: Database) -> None:
    acts = await sign_up(database, terms=STRICT)
    paid = deposit(acts.referee_id, device_id=unique("d"), payment_instrument=unique("c"))
    await acts.receives(paid)

    assert (await acts.credit()).stage is Stage.REWARDED


async def test_every_rule_of_the_set_is_stored_with_its_outcome(database: Database) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id))
    await acts.score()

    stored = await latest_assessment(acts)

    assert stored.rule_set == str(rule_sets.FIRST)
    assert stored.outcomes is not None
    assert set(stored.outcomes) == set(BASE.weights)
    assert stored.outcomes["minimum_deposit"] == {"weight": 8, "outcome": "hit"}
    assert stored.outcomes["shared_contact"]["outcome"] == "unknown"


async def test_a_rule_that_raises_holds_the_reward_with_its_name(database: Database) -> None:
    acts = await sign_up(database)
    unheard_of = Snapshot(velocities=(Velocity(of="device", window="9y", count=1),))
    async with database.transaction() as session:
        row = await stages.lock_referral(session, acts.row.id)
        assert row is not None
        judged = await assessments.assess_and_store(
            session, row, unheard_of, deposit_event_id="d", at=LATER
        )

    assert (judged.verdict, judged.reasons) == (Verdict.REVIEW, ["velocity_device"])


async def test_a_withdrawal_soon_after_the_deposit_is_a_reason(database: Database) -> None:
    acts = await sign_up(database)
    await acts.receives(
        deposit(acts.referee_id, minor=2500), withdrawal(acts.referee_id, after=HOUR)
    )

    await acts.score()

    assert "quick_withdrawal" in (await latest_assessment(acts)).reasons


async def test_a_withdrawal_days_after_the_deposit_is_no_reason(database: Database) -> None:
    acts = await sign_up(database)
    await acts.receives(
        deposit(acts.referee_id, minor=2500), withdrawal(acts.referee_id, after=9 * DAY)
    )

    await acts.score()

    assert "quick_withdrawal" not in (await latest_assessment(acts)).reasons


async def test_signups_at_regular_intervals_are_a_reason_by_the_times_of_the_events(
    database: Database,
) -> None:
    first = await sign_up(database)
    for number in range(1, 6):
        acts = await sign_up(database, referrer_id=first.row.referrer_id)
        async with database.transaction() as session:
            row = await stages.lock_referral(session, acts.row.id)
            assert row is not None
            row.signed_up_at = NOW + number * HOUR
    await acts.receives(deposit(acts.referee_id, at=NOW + 6 * HOUR))

    await acts.score(at=LATER + DAY)

    assert "regular_spacing" in (await latest_assessment(acts)).reasons


@dataclass(slots=True)
class RecoveringProvider:
    """A fraud provider that is away until it is brought back."""

    name: str = "device-intelligence"
    is_away: bool = True
    calls: int = 0

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        self.calls += 1
        if self.is_away:
            raise ConnectionError(f"nobody answers about {referrer_id} and {referee_id}")
        return False


async def test_a_reward_held_for_a_silent_provider_is_credited_once_it_answers(
    database: Database,
) -> None:
    provider = RecoveringProvider()
    acts = await sign_up(database, provider)
    await acts.receives(deposit(acts.referee_id))
    standing = await acts.credit()
    assert (standing.stage, standing.until) == (Stage.HELD, LATER + MINUTE)

    assert await acts.wake(at=LATER + MINUTE) is Stage.HELD
    provider.is_away = False
    assert await acts.wake(at=LATER + 5 * MINUTE) is Stage.REWARDED
    assert "signal_unavailable" not in (await latest_assessment(acts)).reasons


async def test_a_provider_that_answered_is_not_asked_again(database: Database) -> None:
    provider = RecoveringProvider(is_away=False)
    acts = await sign_up(database, provider, terms=replace(TERMS, hold_period=DAY))
    await acts.receives(deposit(acts.referee_id))
    await acts.credit()

    assert await acts.wake(at=LATER + 2 * DAY) is Stage.REWARDED
    assert provider.calls == 1


async def test_a_soft_reason_that_comes_after_the_approval_does_not_undo_it(
    database: Database,
) -> None:
    acts = await sign_up(database, terms=STRICT)
    await acts.receives(deposit(acts.referee_id))
    await acts.credit()
    await acts.receives(withdrawal(acts.referee_id, after=HOUR))
    await acts.decide(Choice.APPROVE)

    assert await acts.wake(at=LATER + HOUR) is Stage.REWARDED


async def test_the_middle_band_is_held_for_days_and_then_credited(database: Database) -> None:
    acts = await sign_up(database)
    cautious = replace(BASE, version="cautious", thresholds=Thresholds(hold=27))
    acts = acts_on(database, acts.row, rule_set=cautious)
    hashed: dict[str, Any] = {"device_id": card_of(acts), "ip": card_of(acts)}
    await record_referrer_signup(acts, **hashed)
    await record_referrer_deposit(acts, card=card_of(acts, other=True))
    paid = deposit(acts.referee_id, **hashed)
    await acts.receives(signup(acts.referee_id, **hashed), paid)

    assert (await acts.credit()).stage is Stage.HELD

    stored = await latest_assessment(acts)
    assert stored.verdict is Verdict.PASS
    assert await acts.open_hold_reasons() == {HoldReason.HOLD_PERIOD}
    end = LATER + timedelta(seconds=Thresholds().hold_s)
    assert await acts.wake(at=end - MINUTE) is Stage.HELD
    assert await acts.wake(at=end) is Stage.REWARDED


async def test_one_that_is_drawn_for_the_sample_is_paid_and_opens_a_case(
    database: Database,
) -> None:
    every_one = replace(BASE, version="all", sample_percent=100)
    acts = await sign_up(database)
    acts = acts_on(database, acts.row, rule_set=every_one)
    await acts.receives(deposit(acts.referee_id))

    assert (await acts.credit()).stage is Stage.REWARDED
    assert (await latest_assessment(acts)).is_sampled
    async with database.reading() as session:
        asked = select(CaseRequest.reasons).where(CaseRequest.referral_id == acts.row.id)
        assert (await session.scalars(asked)).all() == [["sample"]]
