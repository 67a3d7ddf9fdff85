"""Bound signups: a queue of referrals whose pair is to be assessed as it is at the signup."""

from typing import Final
from uuid import UUID

from sqlalchemy import text

from db.engine import Session

_NOTE: Final = text("""
    insert into signups_to_assess (referral_id) values (:referral_id) on conflict do nothing
""")


async def note_signup(session: Session, referral_id: UUID) -> None:
    """Note that a signup was bound to a referral; a courier assesses the pair a moment later."""
    await session.execute(_NOTE, {"referral_id": referral_id})
