"""Evidence that scoring has gathered: crediting takes it once, and only while it is fresh."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from activities.evidence import Gathered
from activities.recent_evidence import MAX_AGE_S, MAX_ENTRIES, RecentEvidence
from db.engine import Database
from tests.activities.referral_acts import sign_up
from tests.builders import NOW, deposit
from tests.fixtures.database_activity import recorded_statements

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


async def test_crediting_gathers_nothing_again(fresh_database: Database) -> None:
    acts = await sign_up(fresh_database)
    await acts.receives(deposit(acts.referee_id))
    await acts.fraud.score_fraud(await acts.act_request())
    request = await acts.act_request()

    with recorded_statements(fresh_database) as statements:
        await acts.rewards.credit_reward(request)

    assert not any("with recursive above" in one for one in statements)
    assert len(statements) < 40


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
