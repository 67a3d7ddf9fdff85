"""Approvals of much money, which two people must give: of a case, or of one review."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from babel.numbers import get_currency_precision

from db.engine import Session
from db.tables import Review
from domain.fraud.cases import SecondPersonLimits, totals
from domain.money import Money
from referrals.access import approvals
from referrals.access.approvals import Approvable
from referrals.access.audit import Actor

APPROVE: Final = "approve"


async def needs_second_person(
    session: Session,
    subject: str,
    reviews: Sequence[Review],
    actor: Actor,
    *,
    limits: SecondPersonLimits,
    at: datetime,
) -> bool:
    """Record an approval of reviews; return whether another person has still to approve them.

    Amounts up to the limits need nobody else. What was approved before the reviews changed does
    not count. The caller has locked the reviews.
    """
    amounts = totals(Money(review.amount_minor, review.currency) for review in reviews)
    if not any(_exceeds(amount, limits) for amount in amounts):
        return False
    return not await approvals.approve(session, approvable(subject, reviews), actor, at=at)


def approvable(subject: str, reviews: Sequence[Review]) -> Approvable:
    """Return what is approved: these reviews with their reasons and amounts, in any order."""
    seen = sorted(
        "/".join((str(r.id), *sorted(r.reasons), str(r.amount_minor), r.currency)) for r in reviews
    )
    content = hashlib.sha256("\n".join(seen).encode()).hexdigest()
    return Approvable(subject=subject, action=APPROVE, content=content)


def _exceeds(amount: Money, limits: SecondPersonLimits) -> bool:
    digits = get_currency_precision(amount.currency)
    return amount.minor > limits.minor(amount.currency, digits=digits)
