"""Erasure of a player's personal values, which keeps ids, times and money.

Only the owner of the schema can: the rows are of tables whose rows are only ever inserted.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession, Session
from db.locks import lock_players
from domain.privacy import ERASED, PERSONAL_KEYS
from referrals.access import audit
from referrals.access.audit import Actor

_ERASING: Final = "select set_config('referrals.erasing', 'on', true)"
_FACTS: Final = """
    update facts set body = body - cast(:keys as text[]), matching = null, fingerprint = :erased
     where player_id = :player and fingerprint <> :erased
"""
# What another player presented on the same device is theirs: their own erasure removes it.
_TOUCHES: Final = """
    update touches set visitor = null, ip = null, user_agent = null, device_id = null,
           signals = '{}', evidence = '{}'
     where id in (
        with own as (
            select id, visitor from referrals where referee_id = :player
        )
        select id from touches where player_id = :player
        union select id from touches where referral_id in (select id from own)
        union select id from touches where visitor in (select visitor from own)
        union select answers from touches where player_id = :player and answers is not null
     ) and coalesce(player_id, :player) = :player
    returning 'touches/' || id
"""
_ATTEMPTS: Final = "update attributions set claims = '[]' where player_id = :player"
_REFERRALS: Final = "update referrals set visitor = null where referee_id = :player"
_LINKS: Final = "delete from identity_links where player_id = :player"
_PREFERENCES: Final = """
    update player_preferences
       set locale = null, time_zone = null, quiet_from = null, quiet_to = null
     where player_id = :player
"""
_MESSAGES: Final = """
    update notification_attempts set locale = null
     where notification_id in (select id from notifications where player_id = :player)
"""
_SALTS: Final = "delete from subject_salts where subject = any(:subjects)"
_RECORD: Final = """
    insert into erasures (player_id, erased_by, reason) values (:player, :actor, :reason)
    on conflict do nothing
"""
_IS_KNOWN: Final = """
    select exists (select from players where player_id = :player)
        or exists (select from facts where player_id = :player)
        or exists (select from codes where player_id = :player)
        or exists (select from player_preferences where player_id = :player)
        or exists (select from touches where player_id = :player)
        or exists (select from identity_links where player_id = :player)
        or exists (select from attributions where player_id = :player)
"""


async def erase(session: Session, player_id: str, actor: Actor) -> bool:
    """Erase a player's personal values in the owner's session; return False for an unknown player.

    It can be repeated: what was reported later is erased as well. Rows that are not linked yet are
    linked as they are then.
    """
    values = {"player": player_id}
    if not await session.scalar(text(_IS_KNOWN), values):
        return False
    await session.execute(text(_ERASING))
    await lock_players(session, player_id)
    await session.execute(text(_FACTS), {**values, "keys": list(PERSONAL_KEYS), "erased": ERASED})
    touches = (await session.scalars(text(_TOUCHES), values)).all()
    for statement in (_ATTEMPTS, _REFERRALS, _LINKS, _PREFERENCES, _MESSAGES):
        await session.execute(text(statement), values)
    await session.execute(text(_SALTS), {"subjects": [player_id, *touches]})
    await session.execute(text(_RECORD), {**values, "actor": actor.name, "reason": actor.reason})
    await audit.write(
        session, actor, action="player.erase", subject=f"player:{player_id}", details={}
    )
    return True


async def brought_back(session: ReadSession, erased_at: Mapping[str, datetime]) -> list[str]:
    """Return those of erased players whom a restored backup, or a replay after it, brought back.

    They have no erasure, or personal values of events that had occurred by their erasure.
    """
    query = text("""
        select player_id
          from unnest(cast(:players as text[]), cast(:times as timestamptz[]))
            as given (player_id, erased_at)
         where not exists (select from erasures e where e.player_id = given.player_id)
            or exists (select from facts f
                        where f.player_id = given.player_id and f.fingerprint <> :erased
                          and f.occurred_at <= given.erased_at)
    """)
    values = {"players": list(erased_at), "times": list(erased_at.values()), "erased": ERASED}
    return list(await session.scalars(query, values))
