"""Decisions on much money, which two people must make: on a case, or on one review."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from babel.numbers import get_currency_precision

from db.engine import Session
from db.tables import CaseRow, Review, Reward
from domain.fraud.cases import SecondPersonLimits
from domain.money import Money, totals
from referrals.access import approvals
from referrals.access.approvals import Approvable
from referrals.access.audit import Actor
from referrals.fraud.cases import clawbacks

APPROVE: Final = "approve"
TAKE_BACK: Final = "take_back"


async def needs_second_person(
    session: Session,
    subject: str,
    reviews: Sequence[Review],
    actor: Actor,
    *,
    limits: SecondPersonLimits,
    at: datetime,
    beside: Sequence[Review] = (),
) -> bool:
    """Record an approval of reviews; return whether another person has still to approve them.

    Amounts up to the limits need nobody else; those of reviews `beside` count, but are not approved
    here. What was approved before the reviews changed does not count. The caller has locked the
    reviews.
    """
    counted = (*reviews, *beside)
    amounts = totals(Money(review.amount_minor, review.currency) for review in counted)
    if not any(exceeds(amount, limits) for amount in amounts):
        return False
    return not await approvals.approve(session, approvable(subject, reviews), actor, at=at)


async def needs_second_rejection(
    session: Session, case: CaseRow, actor: Actor, *, limits: SecondPersonLimits, at: datetime
) -> bool:
    """Record a rejection that takes rewards back; return whether another person has to reject, too.

    The caller has locked the case. What was rejected before other rewards joined does not count.
    """
    if not clawbacks.takes_back(case):
        return False
    credited = await clawbacks.load_credited(session, case)
    if not any(exceeds(amount, limits) for amount in standing_of(credited)):
        return False
    asked = rejectable(f"case:{case.id}", credited)
    return not await approvals.approve(session, asked, actor, at=at)


def standing_of(credited: Sequence[Reward]) -> tuple[Money, ...]:
    """Return what stands of credited rewards, by currency."""
    return totals(Money(reward.standing_minor, reward.currency) for reward in credited)


def rejectable(subject: str, credited: Sequence[Reward]) -> Approvable:
    """Return what is taken back: these rewards as they stand, in any order."""
    seen = sorted(f"{one.id}/{one.standing_minor}/{one.currency}" for one in credited)
    content = hashlib.sha256("\n".join(seen).encode()).hexdigest()
    return Approvable(subject=subject, action=TAKE_BACK, content=content)


def approvable(subject: str, reviews: Sequence[Review]) -> Approvable:
    """Return what is approved: these reviews with their reasons and amounts, in any order."""
    seen = sorted(
        "/".join((str(r.id), *sorted(r.reasons), str(r.amount_minor), r.currency)) for r in reviews
    )
    content = hashlib.sha256("\n".join(seen).encode()).hexdigest()
    return Approvable(subject=subject, action=APPROVE, content=content)


def exceeds(amount: Money, limits: SecondPersonLimits) -> bool:
    """Return whether a second person must agree to an amount."""
    digits = get_currency_precision(amount.currency)
    return amount.minor > limits.minor(amount.currency, digits=digits)
