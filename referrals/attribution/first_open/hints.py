"""An app's first open and its hints: each evaluated, recorded as a touch, and perhaps resolved."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from db.engine import Session
from db.tables import ReferralRow
from domain.attribution.decision import Touch
from domain.attribution.first_open import ReferralHint
from domain.attribution.policy import CONFIDENCE_BY_METHOD, Method, Refusal
from domain.lifecycle.referral import token_expires_at
from referrals.attribution.gather import GatheredTouches
from referrals.attribution.log import (
    AttemptKind,
    AttemptResult,
    AttributionAttempt,
    attempt_id_of,
    record_attempt,
)
from referrals.attribution.touches import NewTouch, record_touch
from referrals.lifecycle.stages import terms_of

_NAMESPACE: Final = UUID("0f8b4f5c-3c1e-5c86-9a53-6a3f2f5a7e0d")
MAX_CODE_CHARS: Final = 64
"""Width of a touch's `code` column; longer texts are cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOpen:
    """An app's first open as reported; data about person, device and network is hashed.

    `visitor` stands for the device or, where it is not known, for the whole request.
    """

    at: datetime
    platform: str | None
    visitor: str
    hints: tuple[ReferralHint, ...] = ()
    device_id: str | None = None
    earlier_device_ids: tuple[str, ...] = ()
    """The device's id hashed under each earlier key, for signups of before a rotation."""
    ip: str | None = None
    user_agent: str | None = None
    device_traits: Mapping[str, str] = field(default_factory=dict)
    player_id: str | None = None
    """The player who signed up from this device before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedHint:
    """A hint with the invitation that it leads to, or the reason why it leads nowhere."""

    method: Method
    text: str = ""
    """Distinguishes hints of the same method; not stored."""
    referral: ReferralRow | None = None
    code: str | None = None
    confidence: float | None = None
    refusal: Refusal | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    is_recorded: bool = False
    """True if its touch was recorded already, as the click that it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedInvitation:
    """The invitation that brought the app's person."""

    subject: UUID
    """The subject of its token: a referral or, for a match, the touch."""
    method: Method
    code: str
    confidence: float
    expires_at: datetime

    @property
    def is_guaranteed(self) -> bool:
        return self.method is not Method.PROBABILISTIC


def derive_touch_id(opened: FirstOpen, evaluated: EvaluatedHint) -> UUID:
    """Return the same id for a retry, and another one when the hint's refusal has changed."""
    parts = (opened.visitor, evaluated.method, evaluated.text, evaluated.refusal or "")
    return uuid5(_NAMESPACE, "\n".join(parts))


async def record_hint(session: Session, opened: FirstOpen, evaluated: EvaluatedHint) -> UUID:
    """Record a hint's touch once, however often the app asks, and log a refused one."""
    touch = _new_touch(opened, evaluated)
    if await record_touch(session, touch) and evaluated.refusal is not None:
        await _log_refusal(session, touch, evaluated.refusal)
    return touch.id


def resolve_hint(evaluated: EvaluatedHint) -> ResolvedInvitation | None:
    """Return the invitation that a hint leads to, unless it is refused."""
    referral = evaluated.referral
    if referral is None or evaluated.refusal is not None:
        return None
    return ResolvedInvitation(
        subject=referral.id,
        method=evaluated.method,
        code=referral.code,
        confidence=CONFIDENCE_BY_METHOD[evaluated.method],
        expires_at=expires_at_of(referral),
    )


def expires_at_of(referral: ReferralRow) -> datetime:
    return token_expires_at(referral.invited_at, terms_of(referral))


def install_evidence(hint: ReferralHint, rule: str | None) -> dict[str, Any]:
    """Return Play's report with the token of its referrer alone, and the rule that it breaks."""
    evidence: dict[str, Any] = asdict(hint.install.without_strangers()) if hint.install else {}
    return evidence | ({"rule": rule} if rule else {})


def _new_touch(opened: FirstOpen, evaluated: EvaluatedHint) -> NewTouch:
    referral = evaluated.referral
    code = referral.code if referral else evaluated.code
    return NewTouch(
        id=derive_touch_id(opened, evaluated),
        method=evaluated.method,
        at=opened.at,
        confidence=evaluated.confidence,
        code=code and code[:MAX_CODE_CHARS],
        campaign_slug=referral.campaign_slug if referral else None,
        referral_id=referral.id if referral else None,
        visitor=opened.visitor,
        player_id=opened.player_id,
        platform=opened.platform,
        ip=opened.ip,
        user_agent=opened.user_agent,
        device_id=opened.device_id,
        device_traits=opened.device_traits,
        evidence=evaluated.evidence,
        refusal=evaluated.refusal,
    )


async def _log_refusal(session: Session, recorded: NewTouch, refusal: Refusal) -> None:
    touch = Touch(
        touch_id=recorded.id,
        method=recorded.method,
        at=recorded.at,
        code=recorded.code,
        campaign=recorded.campaign_slug,
        confidence=recorded.effective_confidence,
        refusal=refusal,
    )
    attempt = AttributionAttempt(
        attempt_id=attempt_id_of(AttemptKind.RESOLVE, recorded.id),
        kind=AttemptKind.RESOLVE,
        player_id=recorded.player_id,
    )
    result = AttemptResult(refusal, recorded.referral_id)
    await record_attempt(session, attempt, result, gathered=GatheredTouches(touches=[touch]))
