"""Retention: what is only kept for a time is let go, in batches; money's proof stays.

Only the owner of the schema can: the rows are of tables whose rows are only ever inserted.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from db.engine import Session
from referrals.access import audit
from referrals.access.audit import Actor

BATCH_ROWS: Final = 1000
"""Rows that one transaction lets go of."""
_ERASING: Final = "select set_config('referrals.erasing', 'on', true)"
_OPEN_STAGES: Final = "'INVITED', 'SIGNED_UP', 'HELD', 'DEFERRED'"
# A touch that waits for its link in the hash chain is left: its salt would be made meanwhile. Those
# of players are kept until their erasure, since the chain asks for it.
_OLD_CLICKS: Final = f"""
    from touches t
     where t.at < :before and t.player_id is null
       and (t.visitor is not null or t.ip is not null or t.user_agent is not null
            or t.device_id is not null or t.signals <> '{{}}' or t.evidence <> '{{}}')
       and not exists (select from referrals r
                        where r.id = t.referral_id and r.stage in ({_OPEN_STAGES}))
       and not exists (select from unlinked_rows u
                        where u.relation = 'touches' and u.row_key = cast(t.id as text))
"""
_OLD_VISITORS: Final = f"""
    from referrals r
     where r.visitor is not null and r.invited_at < :before and r.stage not in ({_OPEN_STAGES})
"""
_OLD_SESSIONS: Final = "from console_sessions s where coalesce(s.ended_at, s.expires_at) < :before"
_OLD_LINKS: Final = "from console_links l where l.expires_at < :before"


@dataclass(frozen=True, slots=True)
class RetainedKind:
    """A kind of rows that is kept for a time, and how they are counted and let go of."""

    name: str
    count: str
    let_go: str


# ruff: noqa: S608 - the statements are made of constants alone
KINDS: Final = (
    RetainedKind(
        "clicks",
        f"select count(*) {_OLD_CLICKS}",
        f"""
        with old as (select t.id {_OLD_CLICKS} order by t.at limit :limit),
        let_go as (
            update touches set visitor = null, ip = null, user_agent = null, device_id = null,
                   signals = '{{}}', evidence = '{{}}'
             where id in (select id from old) returning 'touches/' || id as subject
        ), salts as (
            delete from subject_salts where subject in (select subject from let_go)
        )
        select count(*) from let_go
        """,
    ),
    RetainedKind(
        "visitors",
        f"select count(*) {_OLD_VISITORS}",
        f"""
        with let_go as (
            update referrals set visitor = null
             where id in (select r.id {_OLD_VISITORS} limit :limit for no key update skip locked)
            returning id
        )
        select count(*) from let_go
        """,
    ),
    RetainedKind(
        "sessions",
        f"select count(*) {_OLD_SESSIONS}",
        f"""
        with let_go as (
            delete from console_sessions
             where token_hash in (select s.token_hash {_OLD_SESSIONS} limit :limit)
            returning token_hash
        )
        select count(*) from let_go
        """,
    ),
    RetainedKind(
        "sign_in_links",
        f"select count(*) {_OLD_LINKS}",
        f"""
        with let_go as (
            delete from console_links
             where token_hash in (select l.token_hash {_OLD_LINKS} limit :limit)
            returning token_hash
        )
        select count(*) from let_go
        """,
    ),
)


async def count_old(session: Session, kind: RetainedKind, *, before: datetime) -> int:
    """Return how many rows of a kind are from before a time."""
    counted: int = (await session.execute(text(kind.count), {"before": before})).scalar_one()
    return counted


async def let_go(
    session: Session,
    kind: RetainedKind,
    actor: Actor,
    *,
    before: datetime,
    limit: int = BATCH_ROWS,
) -> int:
    """Let go of up to `limit` rows in the owner's session; return their number."""
    await session.execute(text(_ERASING))
    values = {"before": before, "limit": limit}
    rows: int = (await session.execute(text(kind.let_go), values)).scalar_one()
    if rows:
        details = {"before": before.isoformat(), "rows": rows}
        subject = f"retention:{kind.name}"
        await audit.write(
            session, actor, action="retention.let_go", subject=subject, details=details
        )
    return rows
