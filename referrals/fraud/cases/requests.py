"""Requests for cases about credited referrals; an act writes them without any lock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from db.engine import Session
from db.tables import CaseRequest
from domain.derived_ids import derived_id
from domain.fraud.cases import CaseKind

LATE_LINK: Final = "late_link"
"""First reason of every case about a link that was learned after the crediting."""
SAMPLE: Final = "sample"


async def open_late_link(
    session: Session, referral_id: UUID, *, kinds: Sequence[str], at: datetime, source: str = ""
) -> None:
    """Ask for a case about a credited referral, because of links learned since.

    `kinds` names the kinds of the links, such as `payment_instrument`, and `source` what was
    learned: it asks once, and a later link of the same kind asks again. Nothing is taken back by
    it.
    """
    linked = sorted(set(kinds))
    reasons = [LATE_LINK, *(f"shared_{kind}" for kind in linked)]
    await _ask(session, CaseKind.LATE_LINK, referral_id, reasons, at=at, source=source)


async def open_sample(session: Session, referral_id: UUID, *, at: datetime) -> None:
    """Ask for a case about a referral that passed, to measure what is missed; once a referral."""
    await _ask(session, CaseKind.SAMPLE, referral_id, [SAMPLE], at=at)


async def _ask(
    session: Session,
    kind: CaseKind,
    referral_id: UUID,
    reasons: list[str],
    *,
    at: datetime,
    source: str = "",
) -> None:
    values = {
        "id": derived_id(referral_id, kind, *reasons, *filter(None, [source])),
        "kind": kind,
        "referral_id": referral_id,
        "reasons": reasons,
        "requested_at": at,
    }
    await session.execute(insert(CaseRequest).values(values).on_conflict_do_nothing())
