"""The read of clicks: what their codes offer now, and the open invitations of their visitors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Row, and_, literal_column, select, text

from db.engine import StatementExecutor
from db.statements.text_statements import text_of
from db.tables import Campaign, CampaignVersion, ReferralCode, ReferralRow
from domain.attribution.policy import Method
from domain.campaigns.terms import CampaignStatus, Schedule
from domain.lifecycle.referral import token_expires_at
from referrals.campaigns.offers import IS_SWITCHED_OFF, Offer
from referrals.campaigns.variants import Promised, promised_to
from referrals.campaigns.versions import IS_CURRENT_VERSION, link_from, policy_from, terms_from

_FOLLOWED_CODE: Final = text_of(
    select(
        ReferralCode.code,
        ReferralCode.player_id,
        ReferralCode.accepted_terms,
        Campaign.slug,
        Campaign.status,
        Campaign.starts_at,
        Campaign.ends_at,
        CampaignVersion.id.label("version_id"),
        CampaignVersion.version,
        CampaignVersion.destination,
        CampaignVersion.terms,
        CampaignVersion.variants,
        CampaignVersion.attribution,
        CampaignVersion.link,
        IS_SWITCHED_OFF.label("is_switched_off"),
        ReferralRow.id.label("referral_id"),
        ReferralRow.invited_at,
        ReferralRow.terms.label("promised"),
        ReferralRow.variant,
    )
    .join(Campaign, Campaign.id == ReferralCode.campaign_id)
    .join(CampaignVersion, IS_CURRENT_VERSION)
    .outerjoin(
        ReferralRow,
        and_(
            ReferralRow.visitor == literal_column("given.visitor"),
            ReferralRow.code == ReferralCode.code,
            ReferralRow.stage == text("'INVITED'"),
        ),
    )
    .where(ReferralCode.code == literal_column("given.code"))
)
# Each code is looked up by itself: the limit keeps Postgres from comparing all codes with all.
# Clicks come as JSON: for an array Postgres estimates rows by its length, and plans again at nearly
# every call, which costs as much as the query.
_SELECT_FOLLOWED_CODES: Final = text(f"""
    select given.place, found.*
      from jsonb_to_recordset(cast(cast(:clicks as text) as jsonb))
               as given (place integer, code varchar, visitor varchar)
           cross join lateral ({_FOLLOWED_CODE.text} limit 1) as found
""")  # noqa: S608 - made of constants of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """One click; the visitor and all that identifies the person is hashed already."""

    code: str
    visitor: str
    platform: str | None
    at: datetime
    method: Method = Method.REFERRAL_TOKEN
    device_traits: Mapping[str, str] = field(default_factory=dict)
    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """The open invitation that a visitor already has of a code, and when its token ends."""

    referral_id: UUID
    expires_at: datetime
    variant: str | None = None
    """Variant whose terms it promised."""


@dataclass(frozen=True, slots=True)
class FollowedCode:
    """A code's offer and version, and the visitor's open invitation of it, if any."""

    offer: Offer
    version_id: UUID
    version: int
    invitation: OpenInvitation | None
    variant_terms: dict[str, Any] | None
    """Terms of the code's variant as they are stored; None where they are the version's own."""
    accepted_terms: dict[str, Any] | None
    """Acceptance of the terms by the code's player."""


async def select_followed_codes(
    session: StatementExecutor, clicks: Sequence[Click]
) -> list[Row[Any] | None]:
    """Return what each click's code offers now as a row, or None for a code that nobody has."""
    given = [
        {"place": place, "code": click.code, "visitor": click.visitor}
        for place, click in enumerate(clicks)
    ]
    rows = await session.execute(_SELECT_FOLLOWED_CODES, {"clicks": to_json(given).decode()})
    found = {row.place: row for row in rows}
    return [found.get(place) for place in range(len(clicks))]


def followed_code(row: Row[Any]) -> FollowedCode:
    """Read a row of `select_followed_codes`; ValueError for terms of a later release."""
    promised = promised_to(row.terms, row.variants, slug=row.slug, referrer_id=row.player_id)
    return FollowedCode(
        _offer(row, promised),
        row.version_id,
        row.version,
        _invitation(row),
        promised.terms if promised.variant else None,
        row.accepted_terms,
    )


def _offer(row: Row[Any], promised: Promised) -> Offer:
    # Without `closed_since`, which only decides about times that have passed.
    return Offer(
        code=row.code,
        player_id=row.player_id,
        campaign=row.slug,
        schedule=Schedule(
            status=CampaignStatus(row.status), starts_at=row.starts_at, ends_at=row.ends_at
        ),
        destination=row.destination,
        terms=terms_from(promised.terms),
        policy=policy_from(row.attribution),
        link=link_from(row.link),
        is_switched_off=row.is_switched_off,
        variant=promised.variant,
    )


def _invitation(row: Row[Any]) -> OpenInvitation | None:
    if row.referral_id is None:
        return None
    return OpenInvitation(
        row.referral_id, token_expires_at(row.invited_at, terms_from(row.promised)), row.variant
    )
