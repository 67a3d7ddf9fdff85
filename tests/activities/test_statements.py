"""Statements of the acts: few on the plain path, and evidence is gathered once for two acts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import pytest

from activities.evidence import Gathered
from activities.messages import ActRequest, SignalledFacts
from activities.recent_evidence import MAX_AGE_S, MAX_ENTRIES, RecentEvidence
from db.engine import Database
from domain.fraud.rule_sets import BASE
from domain.lifecycle.referral import Stage
from tests.activities.referral_acts import ReferralActs, acts_on, sign_up
from tests.builders import NOW, a_player_id, deposit
from tests.fixtures.database_activity import recorded_statements

Act = Callable[[ActRequest], Awaitable[object]]
NOBODY_DRAWN = replace(BASE, sample_percent=0)
"""Without the sample, which opens a case for one referral in a hundred."""
GATHERED = Gathered(deposit_event_id="deposit", marker="marker")


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_is_taken_once() -> None:
    recent, referral_id = RecentEvidence(), uuid4()
    recent.put(referral_id, GATHERED)

    assert recent.take(referral_id) is GATHERED
    assert recent.take(referral_id) is None


def test_is_forgotten_when_it_is_old() -> None:
    clock, referral_id = Clock(), uuid4()
    recent = RecentEvidence(clock_s=clock)
    recent.put(referral_id, GATHERED)
    clock.now_s += MAX_AGE_S

    assert recent.take(referral_id) is None


def test_keeps_so_many() -> None:
    recent, ids = RecentEvidence(), [uuid4() for _ in range(MAX_ENTRIES + 1)]
    for referral_id in ids:
        recent.put(referral_id, GATHERED)

    assert recent.take(ids[0]) is None
    assert recent.take(ids[1]) is GATHERED


async def statements_of(acts: ReferralActs, act: Act) -> list[str]:
    request = await acts.act_request()
    with recorded_statements(acts.database) as statements:
        await act(request)
    return [" ".join(one.split())[:60] for one in statements]


@pytest.mark.parametrize("referees_before", [1, 3])
async def test_scoring_and_crediting_at_once_takes_fewer_statements(
    fresh_database: Database, referees_before: int
) -> None:
    acts = await a_deposit(fresh_database, referees_before=referees_before)

    # The 17 of both acts, without the second locks and what is recorded.
    assert len(await statements_of(acts, acts.rewards.score_and_credit)) == 15
    assert (await acts.stored_row()).stage is Stage.REWARDED


@pytest.mark.parametrize("referees_before", [1, 3])
async def test_acts_take_so_many_statements(fresh_database: Database, referees_before: int) -> None:
    acts = await a_deposit(fresh_database, referees_before=referees_before)

    # The referral, its deposits, its values and other evidence; locks, what is recorded, and one
    # statement that writes.
    assert len(await statements_of(acts, acts.fraud.score_fraud)) == 7
    # Locks, and what is recorded; the attempt, the reward and its event; the accounts' locks, the
    # posting and the budget; the reward's status, and the stage with timeline and event.
    assert len(await statements_of(acts, acts.rewards.credit_reward)) == 10
    # Locks, and what is recorded; clawbacks, the attempt, the rewards and what stands of them.
    assert len(await statements_of(acts, acts.rewards.compensate_reward)) == 6
    # The lock; the stage with timeline and event.
    assert len(await statements_of(acts, acts.rewards.settle_referral)) == 2


async def test_a_hold_takes_a_few_statements_more(fresh_database: Database) -> None:
    # So many signups of one referrer in an hour are held.
    acts = await a_deposit(fresh_database, referees_before=4)
    await acts.score()

    # Those of a credit without evidence; its holds, read and written, and the note of three.
    assert len(await statements_of(acts, acts.rewards.credit_reward)) == 15
    assert (await acts.stored_row()).stage is Stage.HELD


async def a_deposit(database: Database, *, referees_before: int) -> ReferralActs:
    """Return a referral whose deposit is recorded, of a referrer with others that were credited."""
    referrer_id = a_player_id()
    for number in range(referees_before + 1):
        signed_up = await sign_up(database, referrer_id=referrer_id)
        acts = acts_on(database, signed_up.row, rule_set=NOBODY_DRAWN)
        await acts.receives(deposit(acts.referee_id))
        if number < referees_before:
            await acts.credit()
    return acts


async def test_crediting_gathers_nothing_again(fresh_database: Database) -> None:
    acts = await sign_up(fresh_database)
    await acts.receives(deposit(acts.referee_id))
    await acts.fraud.score_fraud(await acts.act_request())
    request = await acts.act_request()

    with recorded_statements(fresh_database) as statements:
        await acts.rewards.credit_reward(request)

    assert not any("with recursive above" in one for one in statements)


async def test_what_was_recorded_since_is_gathered_under_the_locks(
    fresh_database: Database,
) -> None:
    acts = await sign_up(fresh_database)
    await acts.receives(deposit(acts.referee_id))
    await acts.fraud.score_fraud(await acts.act_request())
    # A later one: the deposit that qualifies stays the same.
    await acts.receives(deposit(acts.referee_id, at=NOW + timedelta(hours=2)))
    request = await acts.act_request()

    with recorded_statements(fresh_database) as statements:
        await acts.rewards.credit_reward(request)

    assert any("with recursive above" in one for one in statements)


async def test_evidence_that_is_stale_is_gathered_once_under_the_locks(
    fresh_database: Database,
) -> None:
    acts = await sign_up(fresh_database)
    # Recorded by the act itself, under its locks.
    signalled = SignalledFacts(deposits=(deposit(acts.referee_id),))
    request = await acts.act_request(signalled=signalled)

    with recorded_statements(fresh_database) as statements:
        scoring = await acts.rewards.score_and_credit(request)

    assert scoring.standing.stage is Stage.REWARDED
    assert sum("with recursive above" in one for one in statements) == 1
