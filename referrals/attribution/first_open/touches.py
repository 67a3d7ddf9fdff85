"""An app's first open as it is judged and written: who opened it, and what became of each find."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from db.engine import Session
from db.tables import ReferralRow
from domain.attribution.first_open import Find
from domain.attribution.policy import CONFIDENCE, Method, Refusal, Touch
from referrals.attribution.gather import GatheredTouches
from referrals.attribution.log import Attempt, Binding, Entry, log
from referrals.attribution.touches import NewTouch, record
from referrals.lifecycle.stages import terms_of

_NAMESPACE: Final = UUID("0f8b4f5c-3c1e-5c86-9a53-6a3f2f5a7e0d")
MAX_CODE_CHARS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOpen:
    """What an app tells; everything about the person, the device and the network is hashed.

    `visitor` stands for the device or, where it is not known, for all that was told.
    """

    at: datetime
    platform: str | None
    visitor: str
    finds: tuple[Find, ...] = ()
    device_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    signals: Mapping[str, str] = field(default_factory=dict)
    player_id: str | None = None
    """Who signed up from this device before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedHint:
    """What became of one find: the invitation that it leads to, or why it leads nowhere."""

    method: Method
    text: str = ""
    """What tells one find from another of the same method; not stored."""
    referral: ReferralRow | None = None
    code: str | None = None
    confidence: float | None = None
    refusal: Refusal | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    is_recorded: bool = False
    """As the click that it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Who brought the app's person. `subject` is the token's: a referral or, guessed, a touch."""

    subject: UUID
    method: Method
    code: str
    confidence: float
    expires_at: datetime

    @property
    def is_guaranteed(self) -> bool:
        return self.method is not Method.PROBABILISTIC


def touch_id(opened: FirstOpen, judged: EvaluatedHint) -> UUID:
    """The same for a retry; another when the same find comes to something else later."""
    parts = (opened.visitor, judged.method, judged.text, judged.refusal or "")
    return uuid5(_NAMESPACE, "\n".join(parts))


async def write(session: Session, opened: FirstOpen, judged: EvaluatedHint) -> UUID:
    """The touch of a find, written once however often the app asks; refused, it is logged, too."""
    contact = _new_touch(opened, judged)
    if await record(session, contact) and judged.refusal is not None:
        await _log(session, contact, judged.refusal)
    return contact.id


def _new_touch(opened: FirstOpen, judged: EvaluatedHint) -> NewTouch:
    referral = judged.referral
    code = referral.code if referral else judged.code
    return NewTouch(
        id=touch_id(opened, judged),
        method=judged.method,
        at=opened.at,
        confidence=judged.confidence,
        code=code and code[:MAX_CODE_CHARS],
        campaign_slug=referral.campaign_slug if referral else None,
        referral_id=referral.id if referral else None,
        visitor=opened.visitor,
        player_id=opened.player_id,
        platform=opened.platform,
        ip=opened.ip,
        user_agent=opened.user_agent,
        device_id=opened.device_id,
        device_traits=opened.signals,
        evidence=judged.evidence,
        refusal=judged.refusal,
    )


async def _log(session: Session, contact: NewTouch, refusal: Refusal) -> None:
    touch = Touch(
        touch_id=contact.id,
        method=contact.method,
        at=contact.at,
        code=contact.code,
        campaign=contact.campaign_slug,
        confidence=CONFIDENCE[contact.method] if contact.confidence is None else contact.confidence,
        refusal=refusal,
    )
    entry = Entry(
        attempt_id=f"{Attempt.RESOLVE}:{contact.id}",
        attempt=Attempt.RESOLVE,
        player_id=contact.player_id,
    )
    binding = Binding(refusal, contact.referral_id)
    await log(session, entry, binding, found=GatheredTouches(touches=[touch]))


def resolved(judged: EvaluatedHint) -> Resolved | None:
    """The answer that a find holds, if it does."""
    if judged.referral is None or judged.refusal is not None:
        return None
    return Resolved(
        subject=judged.referral.id,
        method=judged.method,
        code=judged.referral.code,
        confidence=CONFIDENCE[judged.method],
        expires_at=invitation_expires_at(judged.referral),
    )


def invitation_expires_at(referral: ReferralRow) -> datetime:
    return referral.invited_at + terms_of(referral).signup_window


def install_evidence(find: Find, rule: str | None) -> dict[str, Any]:
    """What Play told as it told it, and the rule that it breaks, if any."""
    told: dict[str, Any] = asdict(find.install) if find.install else {}
    return told | ({"rule": rule} if rule else {})
