"""Following a code, for a browser at the link and for a service that reports the click."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

import structlog

from api.link.user_agents import Platform
from db.engine import Database
from domain.attribution.policy import Method
from domain.codes import is_code, normalised
from domain.privacy import Hasher
from referrals.attribution.clicks import follow as clicks
from referrals.attribution.clicks.follow import Invitation
from referrals.attribution.clicks.statements import Visit
from referrals.attribution.tokens import Tokens
from workflows.client import workflow_id

NO_DEVICE_TRAITS: Final[Mapping[str, str]] = MappingProxyType({})


async def follow(database: Database, visit: Visit) -> Invitation:
    if not is_code(visit.code):
        return Invitation(clicks.Outcome.UNKNOWN_CODE)
    async with database.autocommit() as session:
        invitation = await clicks.follow(session, visit)
    if invitation.referral_id is not None:
        structlog.contextvars.bind_contextvars(
            referral_id=str(invitation.referral_id),
            workflow_id=workflow_id(invitation.referral_id),
        )
    return invitation


def pseudonymised_visit(
    hasher: Hasher,
    *,
    code: str,
    visitor_id: str,
    platform: Platform,
    at: datetime,
    method: Method = Method.REFERRAL_TOKEN,
    device_traits: Mapping[str, str] = NO_DEVICE_TRAITS,
    **personal: str | None,
) -> Visit:
    """Return the click with all data about the person and the device hashed.

    `device_traits` are normalised by `normalise_traits` and not hashed yet.
    """
    return Visit(
        code=normalised(code),
        visitor=hasher.hash("visitor", visitor_id),
        platform=platform,
        at=at,
        method=method,
        signals=hasher.hash_each(device_traits),
        **hasher.hash_given(personal),
    )


def issue_token(
    tokens: Tokens, invitation: Invitation, *, method: Method = Method.REFERRAL_TOKEN
) -> str:
    """Issue a token of an invitation, marked with the method that carries it to the signup.

    It expires with the signup window.
    """
    if invitation.referral_id is None or invitation.expires_at is None:
        raise ValueError("this click has no invitation")
    return tokens.issue(invitation.referral_id, expires_at=invitation.expires_at, method=method)
