"""From what an app tells at its first open to what is looked up, and back to what it is told."""

from datetime import datetime
from hashlib import sha256

from api.link.languages import negotiate_language
from api.v1.schemas.attributions import ResolveIn, ResolveOut
from domain.attribution.first_open import collect_hints
from domain.attribution.matching import normalise_traits
from domain.privacy import Hasher
from referrals.attribution.first_open.hints import FirstOpen, ResolvedInvitation
from referrals.attribution.tokens import Tokens


def first_open(body: ResolveIn, hasher: Hasher, *, public_url: str, now: datetime) -> FirstOpen:
    """What was told, with everything about the person, the device and the network hashed."""
    whole = sha256(body.model_dump_json().encode()).hexdigest()
    person = {name: getattr(body, name) for name in ("device_id", "ip", "user_agent")}
    device_traits = normalise_traits(
        os=body.effective_platform or body.os,
        os_version=body.os_version or body.os,
        model=body.device_model,
        locale=body.locale,
        time_zone=body.time_zone,
        screen=body.screen,
    )
    return FirstOpen(
        at=now,
        platform=body.effective_platform,
        visitor=hasher.hash("visitor", body.device_id or whole),
        hints=collect_hints(
            public_url=public_url,
            universal_link=body.universal_link,
            install=body.install(),
            clipboard=body.clipboard_token,
            cookie=body.cookie_token,
        ),
        device_traits=hasher.hash_each(device_traits),
        **hasher.hash_given(person),
    )


def told(resolved: ResolvedInvitation | None, tokens: Tokens, *, locale: str | None) -> ResolveOut:
    """Nulls for nobody; a question, in the language of the app, where nothing but a likeness."""
    if resolved is None:
        return ResolveOut()
    language = negotiate_language((locale or "").replace("_", "-"))
    question = language.gettext("Did %(code)s invite you?") % {"code": resolved.code}
    return ResolveOut(
        referral_token=tokens.issue(
            resolved.subject, expires_at=resolved.expires_at, method=resolved.method
        ),
        code=resolved.code,
        method=resolved.method,
        confidence=resolved.confidence,
        guaranteed=resolved.is_guaranteed,
        ask=None if resolved.is_guaranteed else question,
    )
