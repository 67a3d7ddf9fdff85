"""Routing: what a player's inbox holds is bound, and addressed to the referrals it concerns."""

from datetime import datetime

from db import locks
from db.engine import Session
from domain.intake.facts import Fact, Signup
from referrals.attribution.decide import bind_signup
from referrals.attribution.tokens import Tokens
from referrals.intake import inbox
from referrals.lifecycle.fan_out import deliver_to_referral, deliver_to_referrers


async def route_player(
    session: Session, player_id: str, *, tokens: Tokens, now: datetime
) -> tuple[Fact, ...]:
    """Route what waits of one player, in one transaction; nothing waits if another was faster."""
    await locks.lock_players(session, player_id)
    heard = await inbox.drain(session, player_id)
    signups = [fact for fact in heard if isinstance(fact, Signup)]
    bindings = [await bind_signup(session, s, tokens=tokens, now=now) for s in signups]
    if not any(binding.is_new for binding in bindings):
        await deliver_to_referral(session, player_id, heard)
    await deliver_to_referrers(session, player_id, heard)
    return heard
