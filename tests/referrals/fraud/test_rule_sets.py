"""Rule sets beside a later release: what this one cannot read stops nothing that decides."""

from sqlalchemy import insert

from db.engine import Database
from db.tables import RuleSetRow, RuleSetSwitch
from referrals.access.audit import Actor
from referrals.fraud import rule_sets
from referrals.fraud.rule_sets import SwitchOutcome

LATER = {
    "version": 7,
    "weights": {"rule_of_tomorrow": 10},
    "thresholds": {"hold": 40},
    "sample_percent": 1,
    "campaigns": {},
    "reason": "a trial",
    "written_by": "Ann Lee",
}
ACTOR = Actor(name="Ann Lee", request_id=None, reason="a test")


async def test_a_shadow_of_a_later_release_does_not_stop_the_live_rule_set(
    fresh_database: Database,
) -> None:
    async with fresh_database.transaction() as session:
        await rule_sets.active(session)
        await session.execute(insert(RuleSetRow).values(LATER))
        switch = {"role": "shadow", "version": 7, "switched_by": ACTOR.name}
        await session.execute(insert(RuleSetSwitch).values(switch))

    async with fresh_database.transaction() as session:
        now = await rule_sets.active(session)
        ended = await rule_sets.end_shadow(session, 7, ACTOR)
        again = await rule_sets.end_shadow(session, 7, ACTOR)

    assert (now.live.base.version, now.shadow) == ("1", None)
    assert (ended, again) == (SwitchOutcome.CHANGED, SwitchOutcome.SAME)
