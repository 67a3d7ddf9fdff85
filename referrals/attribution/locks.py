"""The locks of an attribution: the matches, then the referrals, that a signup may bind."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select, text
from sqlalchemy.orm import aliased

from db.engine import Session
from db.statements.stored_rows import stored
from db.tables import ReferralRow
from domain.attribution.policy import Method, Policy
from domain.intake.facts import Signup
from domain.lifecycle.referral import Stage
from referrals.attribution.match_answers import load_match_and_answer, lock_match
from referrals.attribution.tokens import Tokens
from referrals.campaigns.versions import policy_from

_LOCK_WITH_SIBLINGS: Final = text("""
    select referrals.*, versions.attribution as policy
      from referrals join campaigns on campaigns.id = referrals.campaign_id
      join campaign_versions as versions
           on versions.campaign_id = campaigns.id and versions.version = campaigns.version
     where referrals.id = :referral_id
        or referrals.visitor = (select visitor from referrals as wanted where id = :referral_id)
           and referrals.stage = 'INVITED'
     order by referrals.id for no key update of referrals
""")


@dataclass(slots=True)
class LockedInvitations:
    """A referral at any stage, the open invitations beside it, and their campaigns' policies."""

    invitation: ReferralRow | None = None
    """The referral that was asked for; None where no referral has its id."""
    siblings: list[ReferralRow] = field(default_factory=list)
    """The other open invitations of the same visitor."""
    policies: dict[str, Policy] = field(default_factory=dict)

    @property
    def rows(self) -> list[ReferralRow]:
        own = [self.invitation] if self.invitation else []
        return own + self.siblings


async def lock_token_subjects(
    session: Session, signup: Signup, *, tokens: Tokens, also_lock: Collection[UUID | None] = ()
) -> None:
    """Lock the subjects of a signup's tokens and the referrals `also_lock`, if they are several.

    Matches come before referrals, each in the order of their ids, so that two signups with the
    same subjects do not deadlock.
    """
    presented = (signup.referral_token, signup.cookie_token)
    readings = [tokens.read(token, at=signup.occurred_at) for token in presented if token]
    subjects = {reading.subject: reading.method for reading in readings if reading.subject}
    if len({*subjects, *also_lock} - {None}) <= 1:
        return
    match_ids = sorted(id_ for id_, by in subjects.items() if by is Method.PROBABILISTIC)
    referral_ids = [*(subjects.keys() - set(match_ids)), *also_lock]
    for match_id in match_ids:
        await lock_match(session, match_id)
        match, _ = await load_match_and_answer(session, match_id)
        referral_ids.append(match.referral_id if match else None)
    await lock_all_with_siblings(session, [id_ for id_ in referral_ids if id_ is not None])


async def lock_all_with_siblings(session: Session, referral_ids: Collection[UUID]) -> None:
    """Lock several referrals and the open invitations of their visitors, in the order of ids."""
    wanted = [or_(ReferralRow.id == id_, _is_sibling_of(id_)) for id_ in referral_ids]
    query = select(ReferralRow.id).where(or_(false(), *wanted)).order_by(ReferralRow.id)
    await session.execute(query.with_for_update(key_share=True))


async def lock_with_siblings(session: Session, referral_id: UUID) -> LockedInvitations:
    """Lock a referral and the open invitations of its visitor, in the order of ids."""
    locked = LockedInvitations()
    for found in await session.execute(_LOCK_WITH_SIBLINGS, {"referral_id": referral_id}):
        row = stored(session, ReferralRow, found)
        locked.policies[row.campaign_slug] = policy_from(found.policy)
        if row.id == referral_id:
            locked.invitation = row
        else:
            locked.siblings.append(row)
    return locked


def _is_sibling_of(referral_id: UUID) -> ColumnElement[bool]:
    """Return the condition for open invitations of a referral's visitor."""
    wanted = aliased(ReferralRow)
    visitor = select(wanted.visitor).where(wanted.id == referral_id).scalar_subquery()
    return and_(ReferralRow.visitor == visitor, ReferralRow.stage == Stage.INVITED)
