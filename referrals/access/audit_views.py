"""Views of the audit: what people did about given subjects."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select

from db import paging
from db.engine import ReadSession
from db.tables import AuditRow


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """An action of a person, with the reason given."""

    audit_id: int
    actor: str
    action: str
    subject: str
    reason: str
    request_id: str | None
    at: datetime


async def find_actions(
    session: ReadSession,
    subjects: Collection[str],
    *,
    campaign: str,
    campaign_version: int,
    limit: int,
) -> Sequence[AuditView]:
    """Return what people did about the subjects and about one version of a campaign, in order.

    Top-ups of the campaign's budget are left out.
    """
    about_version = and_(
        AuditRow.subject == f"campaign:{campaign}",
        AuditRow.action != "campaign.fund",
        AuditRow.details["version"].as_integer() == campaign_version,
    )
    rows = await session.scalars(
        select(AuditRow)
        .where(or_(AuditRow.subject.in_(subjects), about_version))
        .order_by(AuditRow.id)
        .limit(limit)
    )
    return [_view(row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Filters of the audit; None means any. An action also stands for all that begin with it."""

    actor: str | None = None
    subject: str | None = None
    action: str | None = None


async def list_actions(
    session: ReadSession, filters: AuditFilter, *, before: int | None, limit: int
) -> Sequence[AuditView]:
    """Return the newest actions, older than the row `before`."""
    conditions = paging.given_conditions(
        (filters.actor, AuditRow.actor == filters.actor),
        (filters.subject, AuditRow.subject == filters.subject),
        (filters.action, AuditRow.action.startswith(filters.action or "", autoescape=True)),
        (before, AuditRow.id < (before or 0)),
    )
    query = select(AuditRow).where(*conditions).order_by(AuditRow.id.desc()).limit(limit)
    return [_view(row) for row in await session.scalars(query)]


async def acted_on(
    session: ReadSession, subjects: Collection[str], *, action: str
) -> frozenset[str]:
    """Return those of the subjects with which somebody did this."""
    query = select(AuditRow.subject).where(
        AuditRow.action == action, AuditRow.subject.in_(subjects)
    )
    return frozenset(await session.scalars(query))


def _view(row: AuditRow) -> AuditView:
    return AuditView(
        audit_id=row.id,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        reason=row.reason,
        request_id=row.request_id,
        at=row.at,
    )
