"""Routing of one player: links, binding of a signup, and deliveries to referrals."""

from datetime import datetime

from db import locks
from db.engine import Session
from domain.intake.facts import Fact, Signup
from referrals.attribution.binding import bind_signup
from referrals.attribution.tokens import Tokens
from referrals.fraud.link_writing import record_links
from referrals.intake import unrouted
from referrals.lifecycle.fan_out import deliver_to_referral, deliver_to_referrers


class PlayerBusyError(Exception):
    """Another transaction has locked the player."""


async def route_player(
    session: Session,
    player_id: str,
    *,
    tokens: Tokens,
    now: datetime | None = None,
    waits: bool = True,
) -> tuple[Fact, ...]:
    """Drain a player's inbox, route its facts and return them; none if another was faster.

    `now` is the database's time by default.
    PlayerBusyError for a player whom another transaction has locked, unless it `waits`.
    """
    if waits:
        await locks.lock_players(session, player_id)
    elif not await locks.try_lock_players(session, player_id):
        raise PlayerBusyError(player_id)
    drained = await unrouted.drain(session, player_id)
    if drained is None:
        return ()
    reported, now = drained.facts, now or drained.at
    await record_links(session, player_id, reported)
    signups = [fact for fact in reported if isinstance(fact, Signup)]
    bindings = [await bind_signup(session, s, tokens=tokens, now=now) for s in signups]
    if not any(binding.is_new for binding in bindings):
        await deliver_to_referral(session, player_id, reported, now=now)
    await deliver_to_referrers(session, player_id, reported)
    return reported
