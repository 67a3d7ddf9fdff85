"""Assessments at the signup: what was known of a pair then, stored once, and deciding nothing."""

from dataclasses import replace
from uuid import UUID

from httpx import AsyncClient
from sqlalchemy import text

from courier.fraud.signup_assessor import SignupAssessor
from db.engine import Database
from db.tables import SignupAssessment
from domain.fraud.rule_sets import BASE, score
from domain.fraud.rules import Verdict
from domain.fraud.snapshot import read_snapshot
from domain.intake.facts import PlayerStatus
from domain.lifecycle.referral import Stage
from referrals.fraud.routing import signup_assessments
from referrals.fraud.routing.signup_assessments import Gathered
from tests.activities.referral_acts import (
    ReferralActs,
    card_of,
    record_referrer_signup,
    sign_up,
)
from tests.api.bodies import assert_problem
from tests.builders import TERMS, deposit, signup, status_change


async def gathered_of(acts: ReferralActs) -> Gathered:
    async with acts.database.snapshot() as session:
        return await signup_assessments.gather(session, [acts.row.id])


async def stored(acts: ReferralActs, gathered: Gathered) -> int:
    async with acts.database.transaction() as session:
        return await signup_assessments.store(session, gathered)


async def assessed(acts: ReferralActs) -> SignupAssessment:
    await stored(acts, await gathered_of(acts))
    async with acts.database.reading() as session:
        found = await session.get(SignupAssessment, acts.row.id)
    assert found is not None
    return found


async def test_a_pair_is_assessed_by_what_is_known_at_the_signup(database: Database) -> None:
    acts = await sign_up(database)
    mailbox = card_of(acts)
    await record_referrer_signup(acts, email=mailbox)
    await acts.receives(signup(acts.referee_id, email=mailbox))

    found = await assessed(acts)

    assert (found.verdict, found.reasons[0]) == (Verdict.REVIEW, "shared_contact")
    assert (await acts.stored_row()).stage is Stage.SIGNED_UP
    again = score(read_snapshot(found.evidence), BASE)
    assert (again.score, list(again.reasons)) == (found.score, found.reasons)


async def test_what_only_a_deposit_can_report_is_not_missing_at_the_signup(
    database: Database,
) -> None:
    acts = await sign_up(
        database, terms=replace(TERMS, requires=("device_id", "payment_instrument"))
    )

    found = await assessed(acts)

    assert read_snapshot(found.evidence).missing == ("device_id",)
    assert found.outcomes["minimum_deposit"]["outcome"] == "unknown"


async def test_who_of_the_pair_cannot_be_credited_at_the_signup_is_stored(
    database: Database,
) -> None:
    acts = await sign_up(database)
    closed = status_change(acts.row.referrer_id, PlayerStatus.CLOSED)
    await acts.receives(closed, player_id=acts.row.referrer_id)

    assert (await assessed(acts)).ineligible == ["referrer:closed"]


async def test_of_two_couriers_one_stores_the_assessment(database: Database) -> None:
    acts = await sign_up(database)
    first, second = await gathered_of(acts), await gathered_of(acts)

    assert [await stored(acts, one) for one in (first, second)] == [1, 0]


async def test_evidence_that_is_stale_when_it_is_stored_is_gathered_again(
    database: Database,
) -> None:
    acts = await sign_up(database)
    stale = await gathered_of(acts)
    mailbox = card_of(acts)
    await record_referrer_signup(acts, email=mailbox)
    await acts.receives(signup(acts.referee_id, email=mailbox))

    await stored(acts, stale)

    assert "shared_contact" in (await assessed(acts)).reasons


async def test_a_pair_whose_facts_cannot_be_read_keeps_nobody_waiting(database: Database) -> None:
    acts = await sign_up(database)

    assert await stored(acts, {acts.row.id: None}) == 0

    async with database.reading() as session:
        query = text("select count(*) from signups_to_assess where referral_id = :id")
        assert await session.scalar(query, {"id": acts.row.id}) == 0


async def test_the_courier_assesses_every_signup_that_was_bound(fresh_database: Database) -> None:
    pairs = [await sign_up(fresh_database) for _ in range(2)]
    assessor = SignupAssessor(fresh_database)

    assert await assessor.assess() is False

    async with fresh_database.reading() as session:
        found = [await session.get(SignupAssessment, acts.row.id) for acts in pairs]
        assert all(found)
        assert await signup_assessments.waiting(session, limit=1) == []


async def test_the_assessments_of_a_referral_begin_with_that_of_the_signup(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    at_signup = await assessed(acts)
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    await acts.credit()

    answer = await client.get(f"/v1/referrals/{acts.row.id}/assessments")

    first, second = answer.json()["items"]
    assert (first["deposit_event_id"], second["deposit_event_id"]) == (None, paid.event_id)
    assert (first["score"], first["evidence"]) == (at_signup.score, at_signup.evidence)
    assert {rule["rule"] for rule in first["rules"]} == set(BASE.weights)
    assert second["reasons"] == ["minimum_deposit"]


async def test_an_unknown_referral_has_no_assessments(client: AsyncClient) -> None:
    answer = await client.get(f"/v1/referrals/{UUID(int=7)}/assessments")
    assert_problem(answer, 404, "unknown_referral")
