"""Following a code, for a browser at the link and for a service that reports the click."""

from collections.abc import Mapping
from datetime import datetime
from time import time_ns
from types import MappingProxyType
from typing import Final

import structlog

from api.link.user_agents import Platform
from db import traces
from domain.attribution.policy import Method
from domain.codes import is_code, normalise_code
from domain.privacy import Hasher
from referrals.attribution.clicks.batching import ClickStore
from referrals.attribution.clicks.follow import ClickOutcome, ClickResult, follow_code
from referrals.attribution.clicks.followed_codes import Click
from referrals.attribution.tokens import Tokens
from referrals.intake.normalising.addresses import with_subscriber
from workflows.client import workflow_id

NO_DEVICE_TRAITS: Final[Mapping[str, str]] = MappingProxyType({})


async def follow(clicks: ClickStore, click: Click) -> ClickResult:
    if not is_code(click.code):
        return ClickResult(ClickOutcome.UNKNOWN_CODE)
    started_ns = time_ns()
    result = await follow_code(clicks, click)
    if result.outcome is ClickOutcome.NEW:
        traces.root("click", cause=str(result.referral_id), started_ns=started_ns)
    if result.referral_id is not None:
        structlog.contextvars.bind_contextvars(
            referral_id=str(result.referral_id),
            workflow_id=workflow_id(result.referral_id),
        )
    return result


def pseudonymised_click(
    hasher: Hasher,
    *,
    code: str,
    visitor_id: str,
    platform: Platform,
    at: datetime,
    method: Method = Method.REFERRAL_TOKEN,
    device_traits: Mapping[str, str] = NO_DEVICE_TRAITS,
    **personal: str | None,
) -> Click:
    """Return the click with all data about the person and the device hashed.

    `device_traits` are normalised by `normalise_traits` and not hashed yet.
    """
    return Click(
        code=normalise_code(code),
        visitor=hasher.hash("visitor", visitor_id),
        platform=platform,
        at=at,
        method=method,
        device_traits=hasher.hash_each(device_traits),
        **hasher.hash_given(with_subscriber(personal)),
    )


def issue_token(
    tokens: Tokens, result: ClickResult, *, method: Method = Method.REFERRAL_TOKEN
) -> str:
    """Issue a token of an invitation, marked with the method that carries it to the signup.

    It expires with the signup window.
    """
    if result.referral_id is None or result.expires_at is None:
        raise ValueError("this click has no invitation")
    return tokens.issue(result.referral_id, expires_at=result.expires_at, method=method)
