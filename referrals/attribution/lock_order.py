"""What the decision of a signup locks, before it looks at any of it."""

from collections.abc import Collection
from uuid import UUID

from db.engine import Session
from domain.attribution.policy import Method
from domain.intake.facts import Signup
from referrals.attribution import invitations, touches
from referrals.attribution.tokens import Tokens


async def lock_token_subjects(
    session: Session, signup: Signup, *, tokens: Tokens, beside: Collection[UUID | None] = ()
) -> None:
    """Where a signup's tokens and the referrals `beside` them are several.

    Matches come before referrals, and each in the order of their ids, so that two signups with the
    same ones do not wait in a circle.
    """
    presented = (signup.referral_token, signup.cookie_token)
    readings = [tokens.read(token, at=signup.occurred_at) for token in presented if token]
    subjects = {reading.subject: reading.method for reading in readings if reading.subject}
    if len({*subjects, *beside} - {None}) <= 1:
        return
    matches = sorted(id_ for id_, by in subjects.items() if by is Method.PROBABILISTIC)
    referrals = [*(subjects.keys() - set(matches)), *beside]
    for match_id in matches:
        await touches.alone(session, match_id)
        match, _ = await touches.load_match_and_answer(session, match_id)
        referrals.append(match.referral_id if match else None)
    await invitations.lock_all_with_siblings(session, [id_ for id_ in referrals if id_ is not None])
