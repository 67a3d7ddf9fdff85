"""Webhooks as their owners see them: created, listed, rotated, enabled again and deleted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import Select, func, insert, select, text, update

from db import paging
from db.engine import ReadSession, Session
from db.paging import Page, PageRequest, Position
from db.tables import WebhookRow
from domain.webhooks.sending import SendError
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.webhooks import secrets
from referrals.webhooks.secrets import SecretKey

MAX_WEBHOOKS: Final = 100
"""Endpoints of a deployment: each event is written once for each that asks for it."""
# Taken before counting, so that two requests at the limit do not both pass.
_LOCK: Final = text("select pg_advisory_xact_lock(hashtext('webhooks'))")

# Deliveries that waited for a secret of the present key.
_WAKE: Final = text("""
    update webhook_deliveries set next_attempt_at = clock_timestamp()
    where webhook_id = :webhook_id and status = 'pending' and last_error = :error
    and leased_until is null
""")


class WebhookStatus(StrEnum):
    """The status of a webhook: events are delivered only while it is enabled."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """An endpoint, without its secrets."""

    webhook_id: UUID
    url: str
    types: Sequence[str]
    owner: str
    status: WebhookStatus
    created_at: datetime
    active_since: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A secret, shown once."""

    webhook_id: UUID
    secret: str = field(repr=False)


async def create(
    session: Session, *, url: str, types: Collection[str], key: SecretKey, actor: Actor
) -> NewSecret | None:
    """Create a webhook for events from now on, or return None when there are too many."""
    await session.execute(_LOCK)
    known = select(func.count()).select_from(WebhookRow).where(WebhookRow.deleted_at.is_(None))
    if (await session.scalar(known) or 0) >= MAX_WEBHOOKS:
        return None
    webhook_id, asked = uuid4(), sorted(set(types))
    values = {"id": webhook_id, "url": url, "types": asked, "owner": actor.name}
    await session.execute(insert(WebhookRow).values(values))
    secret = await secrets.create_secret(session, webhook_id, key)
    await _audit(session, actor, webhook_id, "create", types=asked, host=urlsplit(url).netloc)
    return NewSecret(webhook_id=webhook_id, secret=secret)


async def rotate(
    session: Session, webhook_id: UUID, *, key: SecretKey, actor: Actor
) -> NewSecret | None:
    """Give a webhook a new secret; None when there is no such webhook."""
    if await _lock(session, webhook_id) is None:
        return None
    secret = await secrets.create_secret(session, webhook_id, key)
    await session.execute(_WAKE, {"webhook_id": webhook_id, "error": SendError.SIGNING_KEY_CHANGED})
    await _audit(session, actor, webhook_id, "rotate")
    return NewSecret(webhook_id=webhook_id, secret=secret)


async def enable(session: Session, webhook_id: UUID, actor: Actor) -> WebhookView | None:
    """Enable a disabled webhook for events from now on; None when there is no such webhook."""
    row = await _lock(session, webhook_id)
    if row is not None and row.disabled_at is not None:
        fresh = {"disabled_at": None, "disabled_reason": None, "active_since": func.now()}
        untried = {"failures": 0, "failing_since": None, "paused_until": None}
        await session.execute(
            update(WebhookRow).where(WebhookRow.id == webhook_id).values(**fresh, **untried)
        )
        await session.refresh(row)
        await _audit(session, actor, webhook_id, "enable")
    return _view(row) if row is not None else None


async def delete(session: Session, webhook_id: UUID, actor: Actor) -> bool:
    """Delete a webhook and end its secrets; return whether there was one."""
    if await _lock(session, webhook_id) is None:
        return False
    await session.execute(
        update(WebhookRow).where(WebhookRow.id == webhook_id).values(deleted_at=func.now())
    )
    await secrets.end_all(session, webhook_id)
    await _audit(session, actor, webhook_id, "delete")
    return True


async def find(session: ReadSession, webhook_id: UUID) -> WebhookView | None:
    row = await session.scalar(_present().where(WebhookRow.id == webhook_id))
    return _view(row) if row is not None else None


async def list_webhooks(session: ReadSession, part: PageRequest) -> Page[WebhookView]:
    """Return a page of webhooks, newest first."""
    query = paging.newest_first(_present(), part, at=WebhookRow.created_at, id_=WebhookRow.id)
    rows = (await session.scalars(query)).all()
    page = paging.cut_page(rows, part, lambda row: Position(row.created_at, row.id))
    return page.map(lambda items: [_view(row) for row in items])


def _present() -> Select[WebhookRow]:
    return select(WebhookRow).where(WebhookRow.deleted_at.is_(None))


async def _lock(session: Session, webhook_id: UUID) -> WebhookRow | None:
    query = _present().where(WebhookRow.id == webhook_id).with_for_update(key_share=True)
    row: WebhookRow | None = await session.scalar(query)
    return row


def _view(row: WebhookRow) -> WebhookView:
    return WebhookView(
        webhook_id=row.id,
        url=row.url,
        types=tuple(row.types),
        owner=row.owner,
        status=WebhookStatus.DISABLED if row.disabled_at else WebhookStatus.ENABLED,
        created_at=row.created_at,
        active_since=row.active_since,
        disabled_at=row.disabled_at,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
    )


async def _audit(
    session: Session,
    actor: Actor,
    webhook_id: UUID,
    action: str,
    **details: Any,  # noqa: ANN401 - any JSON values
) -> None:
    await audit.write(
        session,
        actor,
        action=f"webhook.{action}",
        subject=f"webhook:{webhook_id}",
        details=details,
    )
