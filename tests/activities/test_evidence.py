"""Evidence that two players share, and its effect on the reward."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from db.engine import Database
from domain.fraud.rules import Verdict
from domain.lifecycle.referral import Stage
from integrations.fraud_provider_http import FraudProviderError
from referrals.fraud import assessments
from tests import state
from tests.activities.referral_acts import LATER, ReferralActs, record_referrer_signup, sign_up
from tests.builders import deposit, signup

DAY: Final = timedelta(days=1)


_RUN: Final = uuid4().hex[:-1] + uuid4().hex[:-1]


def hashed(letter: str) -> str:
    """Return a keyed hash that no other module has: links are found among all players."""
    return f"hm1:{letter * 2}{_RUN}"


def hashed_field(field: str, letter: str) -> dict[str, Any]:
    return {field: hashed(letter)}


async def reasons(acts: ReferralActs) -> list[str]:
    async with acts.database.reading() as session:
        found = await assessments.find_assessment(session, (await acts.stored_row()).assessment_id)
    assert found
    return found.reasons


@pytest.mark.parametrize(
    ("field", "verdict", "reason"),
    [
        ("payment_instrument", Verdict.REVIEW, "shared_payment_instrument"),
        ("device_id", Verdict.PASS, "shared_browser"),
        ("ip", Verdict.PASS, "shared_address"),
    ],
)
async def test_scores_the_values_that_a_deposit_shares_with_the_referrer(
    database: Database, field: str, verdict: Verdict, reason: str
) -> None:
    acts = await sign_up(database)
    known = deposit(acts.row.referrer_id, **hashed_field(field, "a"))
    await acts.receives(known, player_id=acts.row.referrer_id)
    await acts.receives(deposit(acts.referee_id, **hashed_field(field, "a")))

    assert (await acts.score()).verdict is verdict
    assert reason in await reasons(acts)


@pytest.mark.parametrize(
    ("field", "verdict"),
    [
        ("email", Verdict.REVIEW),
        ("phone", Verdict.REVIEW),
        ("kyc_subject", Verdict.BLOCK),
        ("full_name", Verdict.PASS),
        ("user_agent", Verdict.PASS),
    ],
)
async def test_scores_the_values_that_a_signup_shares_with_the_referrer(
    database: Database, field: str, verdict: Verdict
) -> None:
    acts = await sign_up(database)
    await record_referrer_signup(acts, **hashed_field(field, "b"))
    await acts.receives(
        signup(acts.referee_id, **hashed_field(field, "b")), deposit(acts.referee_id)
    )

    assert (await acts.score()).verdict is verdict


async def test_an_instrument_shared_with_another_friend_of_the_same_referrer(
    database: Database,
) -> None:
    first = await sign_up(database)
    second = await sign_up(database, referrer_id=first.row.referrer_id)
    await first.receives(deposit(first.referee_id, payment_instrument=hashed("c")))
    await second.receives(deposit(second.referee_id, payment_instrument=hashed("c")))

    assert (await second.score()).verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    ("field", "verdict"),
    [("payment_instrument", Verdict.REVIEW), ("ip", Verdict.PASS), ("device_id", Verdict.PASS)],
)
async def test_a_hard_value_shared_with_a_stranger_is_not_that_of_a_new_person(
    database: Database, field: str, verdict: Verdict
) -> None:
    first, second = await sign_up(database), await sign_up(database)
    await first.receives(deposit(first.referee_id, **hashed_field(field, "d")))
    await second.receives(deposit(second.referee_id, **hashed_field(field, "d")))

    assert (await second.score()).verdict is verdict


async def test_absent_fields_are_not_suspicious(database: Database) -> None:
    acts = await sign_up(database)
    await record_referrer_signup(acts)
    await acts.receives(deposit(acts.referee_id, minor=2500))
    await acts.receives(deposit(acts.row.referrer_id), player_id=acts.row.referrer_id)

    assert (await acts.score()).score == 0
    assert await reasons(acts) == []


@dataclass(slots=True)
class FixedProvider:
    """A fraud provider with a fixed answer."""

    name: str
    answer: bool

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        assert referrer_id != referee_id
        return self.answer


class FailingProvider:
    name = "broken"

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        raise ConnectionError(f"nobody answers about {referrer_id} and {referee_id}")


class HangingProvider:
    name = "silent"

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        await asyncio.Event().wait()
        raise AssertionError(f"answered about {referrer_id} and {referee_id}")


@pytest.mark.parametrize("provider", [FailingProvider(), HangingProvider()])
async def test_a_signal_that_cannot_be_had_holds_the_reward(
    database: Database, provider: FailingProvider | HangingProvider
) -> None:
    acts = await sign_up(database, provider, FixedProvider("calm", answer=False))
    await acts.receives(deposit(acts.referee_id))

    assert (await acts.credit()).stage is Stage.HELD
    assert "signal_unavailable" in await reasons(acts)


class RefusingProvider:
    name = "strict"

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        assert referrer_id != referee_id
        raise FraudProviderError("status 401")


async def test_the_log_says_why_a_provider_gave_no_answer_and_names_no_player(
    database: Database,
) -> None:
    acts = await sign_up(database, RefusingProvider(), FailingProvider())
    await acts.receives(deposit(acts.referee_id))

    with capture_logs() as logged:
        await acts.score()

    lines = [line for line in logged if line["event"] == "fraud_provider_unavailable"]
    assert {line["provider"]: line["error"] for line in lines} == {
        "strict": "FraudProviderError: status 401",
        "broken": "ConnectionError",
    }


async def test_an_outside_warning_holds_the_reward(database: Database) -> None:
    acts = await sign_up(database, FixedProvider("wary", answer=True))
    await acts.receives(deposit(acts.referee_id))

    assert (await acts.credit()).stage is Stage.HELD
    assert "outside_warning" in await reasons(acts)


async def test_scoring_again_on_the_same_evidence_returns_the_stored_assessment(
    database: Database,
) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id))
    first, assessment_id = await acts.score(), (await acts.stored_row()).assessment_id

    assert await acts.score(at=LATER + DAY) == first
    assert (await acts.stored_row()).assessment_id == assessment_id


async def test_what_is_learned_between_scoring_and_crediting_at_the_same_moment_counts(
    database: Database,
) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id, payment_instrument=hashed("e")))
    assert (await acts.score()).verdict is Verdict.PASS
    paid = deposit(acts.row.referrer_id, payment_instrument=hashed("e"))
    await acts.receives(paid, player_id=acts.row.referrer_id)

    standing = await acts.rewards.credit_reward(await acts.act_request())

    assert standing.stage is Stage.HELD
    assert "shared_payment_instrument" in await reasons(acts)


async def test_the_same_identity_is_refused(database: Database) -> None:
    acts = await sign_up(database)
    await record_referrer_signup(acts, kyc_subject=hashed("f"))
    await acts.receives(signup(acts.referee_id, kyc_subject=hashed("f")), deposit(acts.referee_id))

    assert (await acts.credit()).stage is Stage.REJECTED
    assert await state.reason(database, acts.row.id) == "fraud: same_identity"
