"""The live rule set and its shadow, and lists, as they decide about a referral's reward."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from activities.messages import SignalledFacts
from db.engine import Database, Session
from db.tables import AssessmentRow, BacktestRow, ShadowAssessment
from domain.fraud.listed_values import keys_of, stored_value
from domain.fraud.lists import ListedKind, ListName
from domain.fraud.rule_set_drafts import Changes
from domain.fraud.rules import Verdict
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.access.audit import Actor
from referrals.fraud import assessments, list_views, lists, rule_sets
from referrals.fraud.lists import NewEntry
from referrals.fraud.rule_sets import NewRuleSet, SwitchOutcome
from tests.activities.referral_acts import HASHER, LATER, ReferralActs, sign_up
from tests.builders import NOW, TERMS, deposit

ANN = Actor(name="ann", request_id=None, reason="a trial")
BEN = Actor(name="ben", request_id=None, reason="a trial")
DAY = timedelta(days=1)


async def a_draft(
    session: Session, changes: Changes, *, campaigns: dict[str, Changes] | None = None
) -> int:
    asked = NewRuleSet(based_on=1, changes=changes, campaigns=campaigns or {}, sample_percent=0)
    version = await rule_sets.create(session, asked, ANN)
    assert version is not None
    return version


async def a_published_set(
    database: Database, changes: Changes, *, campaigns: dict[str, Changes] | None = None
) -> int:
    async with database.transaction() as session:
        version = await a_draft(session, changes, campaigns=campaigns)
        live = int((await rule_sets.active(session)).live.base.version)
        session.add(a_report(version, baseline=live))
        await session.flush()
        assert (
            await rule_sets.publish(session, version, BEN, at=datetime.now(UTC))
            is SwitchOutcome.CHANGED
        )
    return version


def a_report(version: int, *, baseline: int) -> BacktestRow:
    return BacktestRow(
        id=UUID(int=version),
        version=version,
        baseline=baseline,
        since=NOW,
        until=LATER,
        report={"assessed": 1},
        run_by=ANN.name,
    )


async def put_on(
    database: Database,
    name: ListName,
    kind: ListedKind,
    text: str,
    *,
    expires_at: datetime | None = None,
) -> UUID:
    value = stored_value(kind, text, HASHER)
    entry = NewEntry(
        list_name=name,
        kind=kind,
        value=value,
        keys=tuple(keys_of(kind, value, HASHER)),
        expires_at=expires_at,
    )
    async with database.transaction() as session:
        _, entry_id = await lists.add(session, entry, ANN)
    return entry_id


async def latest_assessment(acts: ReferralActs) -> AssessmentRow:
    async with acts.database.reading() as session:
        row = await acts.stored_row()
        found = await assessments.find_assessment(session, row.assessment_id)
    assert found is not None
    return found


async def score_a_denied(database: Database) -> ReferralActs:
    acts = await sign_up(database)
    await put_on(database, ListName.DENY, ListedKind.PLAYER, acts.referee_id)
    await acts.receives(deposit(acts.referee_id))
    await acts.score()
    return acts


async def test_the_live_rule_set_scores_from_its_publication_to_its_rollback(
    fresh_database: Database,
) -> None:
    version = await a_published_set(fresh_database, Changes(weights={"denied": 0}))
    acts = await score_a_denied(fresh_database)
    scored = await latest_assessment(acts)
    assert (scored.rule_set, scored.verdict) == (str(version), Verdict.PASS)

    async with fresh_database.transaction() as session:
        assert await rule_sets.roll_back(session, 1, ANN) is SwitchOutcome.CHANGED
    await acts.score()
    scored = await latest_assessment(acts)
    assert (scored.rule_set, scored.verdict) == ("1", Verdict.REVIEW)
    assert "denied" in scored.reasons


async def test_a_campaign_is_scored_by_weights_of_its_own(fresh_database: Database) -> None:
    acts = await score_a_denied(fresh_database)
    campaign = acts.row.campaign_slug
    own = {campaign: Changes(weights={"denied": 0})}
    await a_published_set(fresh_database, Changes(), campaigns=own)
    await acts.score()
    assert (await latest_assessment(acts)).verdict is Verdict.PASS
    other = await score_a_denied(fresh_database)
    assert other.row.campaign_slug != campaign
    assert (await latest_assessment(other)).verdict is Verdict.REVIEW


async def test_a_shadow_scores_the_same_snapshot_and_decides_nothing(
    fresh_database: Database,
) -> None:
    async with fresh_database.transaction() as session:
        shadow = await a_draft(session, Changes(weights={"denied": 0}))
        await rule_sets.start_shadow(session, shadow, ANN)
    acts = await score_a_denied(fresh_database)
    await acts.score()
    scored = await latest_assessment(acts)
    async with fresh_database.reading() as session:
        (in_shadow,) = (await session.scalars(select(ShadowAssessment))).all()
    assert (scored.rule_set, scored.verdict) == ("1", Verdict.REVIEW)
    assert (in_shadow.assessment_id, in_shadow.rule_set) == (scored.id, shadow)
    assert in_shadow.verdict is Verdict.PASS
    assert in_shadow.outcomes["denied"] == {"weight": 0, "outcome": "hit"}


@pytest.mark.parametrize("kind", [ListedKind.PLAYER, ListedKind.PAYMENT_INSTRUMENT])
async def test_a_value_denied_after_the_deposit_stops_the_release(
    database: Database, kind: ListedKind
) -> None:
    terms = replace(TERMS, hold_period=DAY)
    acts = await sign_up(database, terms=terms)
    card = f"card-of-{acts.referee_id}"
    hashed = HASHER.hash("payment_instrument", card)
    await acts.receives(deposit(acts.referee_id, payment_instrument=hashed))
    assert (await acts.credit()).stage is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.HOLD_PERIOD}

    text = acts.referee_id if kind is ListedKind.PLAYER else card
    entry_id = await put_on(database, ListName.DENY, kind, text)
    assert await acts.wake(at=LATER + 2 * DAY) is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.REVIEW}
    assert "denied" in (await acts.latest_review()).reasons
    async with database.reading() as session:
        shown = await list_views.find_entry(session, entry_id)
    assert shown is not None
    assert shown.hits == 1


@pytest.mark.parametrize("ends", ["removed", "expired"])
async def test_a_reward_held_for_a_denied_value_waits_for_a_person_when_the_entry_ends(
    database: Database, ends: str
) -> None:
    acts = await sign_up(database)
    expires_at = LATER + DAY if ends == "expired" else None
    player = ListedKind.PLAYER
    entry_id = await put_on(database, ListName.DENY, player, acts.referee_id, expires_at=expires_at)
    await acts.receives(deposit(acts.referee_id))
    assert (await acts.credit()).stage is Stage.HELD

    if ends == "removed":
        async with database.transaction() as session:
            assert await lists.remove(session, ListName.DENY, entry_id, ANN)

    assert await acts.wake(at=LATER + 2 * DAY) is Stage.HELD
    assert "denied" not in (await latest_assessment(acts)).reasons
    assert "denied" in (await acts.latest_review()).reasons


async def test_a_denied_card_that_a_signal_brings_to_the_act_is_denied_at_once(
    database: Database,
) -> None:
    acts = await sign_up(database)
    card = f"card-of-{acts.referee_id}"
    await put_on(database, ListName.DENY, ListedKind.PAYMENT_INSTRUMENT, card)
    signalled = SignalledFacts(deposits=(deposit(acts.referee_id, payment_instrument=card),))

    scoring = await acts.fraud.score_fraud(await acts.act_request(signalled=signalled))

    assert scoring.verdict is Verdict.REVIEW
    assert "denied" in (await latest_assessment(acts)).reasons
