"""Activity that scores the risk of a referral, with the answers of outside fraud providers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import structlog
from temporalio import activity

from activities.locked_referrals import LockedReferral, LockedReferrals
from activities.messages import ActRequest, Scoring
from db.tables import AssessmentRow
from domain.rewards.qualification import Qualification
from referrals.fraud import assessments, evidence

PROVIDER_TIMEOUT_S: Final = 2.0
"""Time limit for one provider's answer; all are asked at once, well within the act's own limit."""

_log = structlog.get_logger()


class FraudProvider(Protocol):
    """Outside source of fraud warnings, such as a device intelligence service."""

    name: str

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        """Return whether it warns of this pair; an exception or a timeout counts as unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswers:
    """Names of the providers that warned, and of those that did not answer."""

    warnings: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()

    @classmethod
    def from_evidence(cls, evidence: dict[str, Any]) -> "ProviderAnswers":
        """Return the answers that are part of stored evidence."""
        return cls(warnings=tuple(evidence["warnings"]), unavailable=tuple(evidence["unavailable"]))


class FraudActivities:
    def __init__(self, referrals: LockedReferrals, providers: Sequence[FraudProvider] = ()) -> None:
        self._referrals = referrals
        self._providers = providers

    @activity.defn
    async def score_fraud(self, request: ActRequest) -> Scoring:
        """Assess the qualifying deposit and store the assessment with its evidence.

        Returns no verdict when no deposit qualifies, or when the referral stands elsewhere. With a
        provider that fails or takes over 2 s the verdict is at least REVIEW, never a silent PASS.
        """
        answers = await self._ask_providers(request)
        async with self._referrals.lock(request) as locked:
            qualification = await locked.qualification()
            if not locked.is_still_at(request.standing) or qualification is None:
                return Scoring(locked.standing)
            assessment = await assess_pair(locked, qualification, answers)
            return Scoring(locked.standing, assessment.verdict, assessment.score)

    async def _ask_providers(self, request: ActRequest) -> ProviderAnswers:
        if not self._providers:
            return ProviderAnswers()
        referrer_id, referee_id = await self._referrals.pair_ids(request.referral_id)
        asked = {
            provider.name: _ask(provider, referrer_id=referrer_id, referee_id=referee_id)
            for provider in self._providers
        }
        warned = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
        return ProviderAnswers(
            warnings=tuple(name for name, warns in warned.items() if warns),
            unavailable=tuple(name for name, warns in warned.items() if warns is None),
        )


async def assess_pair(
    locked: LockedReferral, qualification: Qualification, answers: ProviderAnswers
) -> AssessmentRow:
    """Assess the pair by what is recorded now.

    An assessment of this qualification on the same evidence stands; otherwise a new one is stored.
    """
    recorded = await evidence.load_evidence(
        locked.session, referrer_id=locked.referral.referrer_id, referee_id=locked.referee_id
    )
    return await assessments.assess_and_store(
        locked.session,
        locked.referral,
        replace(recorded, warnings=answers.warnings, unavailable=answers.unavailable),
        deposit_event_id=qualification.fact_ids[0],
        at=locked.now,
    )


async def reassess(locked: LockedReferral, qualification: Qualification) -> AssessmentRow:
    """Assess again what was learned since; the fraud providers' answers are the stored ones."""
    known = await assessments.find_assessment(locked.session, locked.referral.assessment_id)
    answers = ProviderAnswers.from_evidence(known.evidence) if known else ProviderAnswers()
    return await assess_pair(locked, qualification, answers)


async def _ask(provider: FraudProvider, *, referrer_id: str, referee_id: str) -> bool | None:
    try:
        async with asyncio.timeout(PROVIDER_TIMEOUT_S):
            return await provider.suspects(referrer_id=referrer_id, referee_id=referee_id)
    except Exception:  # noqa: BLE001 - a provider may raise anything; its answer is then missing
        _log.warning("fraud_provider_unavailable", provider=provider.name)
        return None
