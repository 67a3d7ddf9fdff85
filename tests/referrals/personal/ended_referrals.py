"""Referrals that ended long ago or lately, and a hash chain as old as they are."""

# ruff: noqa: S608 - the statements are built from our own constants alone

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, text

from db.engine import Database, Session
from db.outbox_reader import OutboxReader
from db.tables import ChainLink
from domain.attribution.policy import Method
from domain.intake.facts import Wager
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage
from referrals.access.audit import Actor
from referrals.attribution.clicks.followed_codes import (
    Click,
    OpenInvitation,
    followed_code,
    select_followed_codes,
)
from referrals.attribution.clicks.statements import (
    insert_invitations,
    insert_repeated_click,
    invitation_of,
)
from referrals.chain import canonical
from referrals.chain.checking import check_chain
from referrals.intake import facts
from referrals.lifecycle.stages import enter_stage, lock_referral
from referrals.personal.retention import count_old, let_go_of_all
from tests.builders import a_code, an_offer, unique, usd
from tests.events import moved
from tests.referrals import reward_builders
from tests.referrals.chain.conftest import link_everything
from tests.referrals.reward_builders import CREDITED_AT
from tests.state import violated_invariants

ACTOR: Final = Actor(name="the.dpo", request_id=None, reason="retention")
NOW: Final = datetime.now(UTC)
CUTOFF: Final = NOW - timedelta(days=100)
CLICKED_AT: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
AGE: Final = "interval '120 days'"
_AGED: Final = (
    f"update timeline set recorded_at = recorded_at - {AGE} where referral_id = any(:ids)",
    f"""update outbox set created_at = created_at - {AGE}
         where aggregateid = any(cast(cast(:ids as uuid[]) as text[]))""",
    f"""update deliveries set created_at = created_at - {AGE},
               acknowledged_at = coalesce(acknowledged_at, now()) - {AGE}
         where referral_id = any(:ids)""",
    f"""update facts set heard_at = heard_at - {AGE}
         where player_id in (select referee_id from referrals where id = any(:ids))""",
)
# The message that told of the credit: its event, its attempt and the notification are of one time.
_TOLD: Final = f"""
    with told as (
        insert into notifications (id, event_id, referral_id, player_id, kind, message, caused_at,
                                   status)
        select gen_random_uuid(), gen_random_uuid(), id, referrer_id, 'reward_granted', '{{}}',
               now(), 'handed_on'
          from referrals where id = :id
        returning id, player_id
    ), attempted as (
        insert into notification_attempts (notification_id, at, outcome)
        select id, now() - {AGE}, 'handed_on' from told
    )
    insert into outbox (id, aggregatetype, aggregateid, type, payload, created_at)
    select id, 'notification', player_id, 'Notification', '{{}}', now() - {AGE} from told
"""
_DELIVERED: Final = "update deliveries set acknowledged_at = now() where acknowledged_at is null"


@dataclass(frozen=True, slots=True)
class Ended:
    """Ids of the referrals of a database whose chain is as old as they are."""

    nothing: UUID
    """Expired without a signup long ago, after two clicks."""
    lately: UUID
    """Expired without a signup a moment ago."""
    settled: UUID
    """Credited and settled long ago, after a bet of its referee."""
    held: UUID
    """Still open."""


async def an_ended_database(database: Database, superuser: Database) -> Ended:
    async with database.transaction() as session:
        nothing = await an_expired_invitation(session)
        lately = await an_expired_invitation(session)
        settled = await reward_builders.a_rewarded_referral(session)
        await enter_stage(
            session, settled, Stage.SETTLED, until=CREDITED_AT, at=CREDITED_AT, reason=None
        )
        await record_bet(session, settled.referee_id or "")
        held = await reward_builders.a_held_referral(session)
        ended = Ended(nothing=nothing, lately=lately, settled=settled.id, held=held.id)
    async with superuser.transaction() as session:
        await session.execute(text(_DELIVERED))
        await session.execute(text(_TOLD), {"id": ended.settled})
        await session.execute(text("set local session_replication_role = replica"))
        for statement in _AGED:
            await session.execute(text(statement), {"ids": [ended.nothing, ended.settled]})
    await link_everything(database)
    await age_the_chain(superuser)
    await read_everything(database, "notifications")
    return ended


async def record_bet(session: Session, player_id: str) -> None:
    """Record a bet, which has no delivery."""
    bet = Wager(event_id=unique("wager"), occurred_at=CLICKED_AT, player_id=player_id, stake=usd())
    await facts.record_fact(session, bet, player_id=player_id, door="http")


async def an_expired_invitation(session: Session) -> UUID:
    """Follow a new code twice as one visitor, and let the invitation expire; return its id."""
    code = (await a_code(session, await an_offer(session))).code
    click = Click(
        code=code,
        visitor=unique("visitor"),
        platform="ios",
        at=CLICKED_AT,
        method=Method.QR_CODE,
        device_traits={},
        ip="hm1:ip",
        user_agent="hm1:user-agent",
        device_id=None,
    )
    (found,) = await select_followed_codes(session, [click])
    assert found is not None
    followed = followed_code(found)
    (referral_id,) = await insert_invitations(session, [invitation_of(click, followed)])
    assert referral_id is not None
    known = OpenInvitation(referral_id, expires_at=CLICKED_AT)
    await insert_repeated_click(session, click, followed, known)
    row = await lock_referral(session, referral_id)
    assert row is not None
    await enter_stage(
        session, row, Stage.EXPIRED, until=row.until, at=row.until, reason=ReasonCode.NO_SIGNUP
    )
    return referral_id


async def age_the_chain(superuser: Database) -> None:
    """Link everything anew, as if that had been done long ago."""
    async with superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        before = canonical.GENESIS
        for link in await session.scalars(select(ChainLink).order_by(ChainLink.seq)):
            link.linked_at -= timedelta(days=120)
            before = link.hash = canonical.link(
                before, seq=link.seq, leaf=link.leaf, linked_at=link.linked_at
            )


async def read_everything(database: Database, *names: str) -> None:
    """Let readers of these names come to the end of the outbox."""
    for name in names:
        reader = OutboxReader(database, name)
        cursor = await reader.claim()
        assert cursor is not None
        while events := await reader.read_after(cursor, limit=1000):
            async with database.transaction() as session:
                await reader.advance(session, events[-1].position)
            cursor = moved(cursor, events[-1].position)
        await reader.release()


async def let_go(database: Database, kind: str) -> int:
    """Let go of a kind as the command does; return the number of rows that it counted before."""
    async with database.transaction() as session:
        expected = await count_old(session, kind, before=CUTOFF)
    assert await let_go_of_all(database, kind, ACTOR, before=CUTOFF) == expected
    assert await let_go_of_all(database, kind, ACTOR, before=CUTOFF) == 0
    return expected


async def assert_green(database: Database) -> None:
    await link_everything(database)
    chain = await check_chain(database)
    assert chain.ok, chain.faults
    assert await violated_invariants(database, as_of=CREDITED_AT) == {}
