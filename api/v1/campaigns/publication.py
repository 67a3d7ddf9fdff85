"""Publications of campaigns by the API and by the console: one act, with the same refusals."""

from datetime import datetime

from api.http.errors import FieldError, Problem
from db.engine import Session
from domain.campaigns.publishing import Ceilings
from referrals.access.audit import Actor
from referrals.campaigns import publishing
from referrals.campaigns.outcomes import TransitionOutcome
from referrals.campaigns.publishing import NotPublishableError, VersionChangedError


async def publish(
    session: Session,
    slug: str,
    actor: Actor,
    *,
    ceilings: Ceilings,
    at: datetime,
    version: int | None,
) -> TransitionOutcome:
    """Publish what waits of a campaign.

    Problem 409 `version_changed` where that is not `version`, 422 with the fields that fail the
    checks.
    """
    try:
        return await publishing.publish_campaign(
            session, slug, actor, ceilings=ceilings, at=at, version=version
        )
    except VersionChangedError as fault:
        raise _version_changed(fault.proposed) from fault
    except NotPublishableError as fault:
        errors = [FieldError(found.field, found.message) for found in fault.faults]
        raise Problem("validation_failed", errors=errors) from fault


def _version_changed(proposed: int) -> Problem:
    detail = f"Version {proposed} waits to be published now. Read it, and publish it by its number."
    errors = [FieldError("version", f"Is {proposed} by now")]
    return Problem("version_changed", detail, errors=errors)
