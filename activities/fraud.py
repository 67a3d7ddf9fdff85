"""Activity that scores the risk of a referral, with the answers of outside fraud providers."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import structlog
from temporalio import activity

from activities import limited
from activities.evidence import (
    Gathered,
    ProviderAnswers,
    bring_up_to_date,
    gather,
    judge,
    known_answers,
    stored_score,
)
from activities.locked_referrals import LockedReferral, LockedReferrals
from activities.messages import ActRequest, Scoring
from activities.recent_evidence import RecentEvidence
from activities.undecided import end_undecidable
from db.faults import describe
from domain.fraud.rules import Verdict
from domain.lifecycle.referral import Standing

PROVIDER_TIMEOUT_S: Final = 2.0
"""Time limit for one provider's answer; all are asked at once, well within the act's own limit."""

_log = structlog.get_logger()


class FraudProvider(Protocol):
    """Outside source of fraud warnings, such as a device intelligence service."""

    name: str

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        """Return whether it warns of this pair; an exception or a timeout counts as unavailable."""


@dataclass(frozen=True, slots=True)
class FraudEvidence:
    """Gathers the evidence of an act before its locks: what is recorded, and providers' answers."""

    referrals: LockedReferrals
    providers: Sequence[FraudProvider] = ()
    recent: RecentEvidence = field(default_factory=RecentEvidence)

    async def gather(self, request: ActRequest) -> Gathered:
        """Return the recorded evidence, with the answers of every provider."""
        answers = await self._ask(request, [provider.name for provider in self.providers])
        return replace(await gather(self.referrals.database, request.referral_id), answers=answers)

    async def gather_recorded(self, request: ActRequest) -> Gathered:
        """Return the recorded evidence, and ask nobody: the providers' stored answers count."""
        if recent := self.recent.take(request.referral_id):
            return recent
        return await gather(self.referrals.database, request.referral_id)

    async def gather_again(self, request: ActRequest) -> Gathered:
        """Return the recorded evidence; only providers that did not answer before are asked."""
        found = await self.gather_recorded(request)
        if found.snapshot is None or not self.providers:
            return found
        async with self.referrals.database.reading() as session:
            known = await known_answers(session, request.referral_id)
        if not known.unavailable:
            return found
        answers = await self._ask(request, known.unavailable)
        warnings = tuple(dict.fromkeys((*known.warnings, *answers.warnings)))
        return replace(found, answers=replace(answers, warnings=warnings))

    async def _ask(self, request: ActRequest, names: Collection[str]) -> ProviderAnswers:
        wanted = [provider for provider in self.providers if provider.name in names]
        gone = tuple(sorted(set(names) - {provider.name for provider in wanted}))
        if not wanted:
            return ProviderAnswers(unavailable=gone)
        referrer_id, referee_id = await self.referrals.pair_ids(request.referral_id)
        answers = await asyncio.gather(
            *(_ask(each, referrer_id=referrer_id, referee_id=referee_id) for each in wanted)
        )
        named = list(zip((provider.name for provider in wanted), answers, strict=True))
        return ProviderAnswers(
            warnings=tuple(name for name, warns in named if warns),
            unavailable=(*gone, *(name for name, warns in named if warns is None)),
        )


class FraudActivities:
    def __init__(
        self,
        referrals: LockedReferrals,
        providers: Sequence[FraudProvider] = (),
        recent: RecentEvidence | None = None,
    ) -> None:
        """Share `recent` with the activities that credit what is scored here."""
        self._referrals = referrals
        self._recent = recent or RecentEvidence()
        self._evidence = FraudEvidence(referrals, providers, self._recent)

    @activity.defn
    async def score_fraud(self, request: ActRequest) -> Scoring:
        """Assess the qualifying deposit and store the assessment with its evidence.

        Returns no verdict when no deposit qualifies, or when the referral stands elsewhere. With a
        provider that fails or takes over 2 s the verdict is at least REVIEW, never a silent PASS.
        """
        gathered = await self._evidence.gather(request)
        async with self._referrals.lock(request) as locked:
            scoring, judged = await score_qualification(locked, request.standing, gathered)
            if judged.assessment is not None:
                self._recent.put(request.referral_id, judged)
            return scoring


async def score_qualification(
    locked: LockedReferral, standing: Standing, gathered: Gathered
) -> tuple[Scoring, Gathered]:
    """Assess what qualifies, and return the outcome with the evidence that credits it.

    Assesses nothing if the referral is not where `standing` says, or if no deposit qualifies.
    """
    qualification = await locked.qualification()
    if not locked.is_still_at(standing):
        return Scoring(locked.standing_found, score=await stored_score(locked)), gathered
    if qualification is None:
        left = await limited.place_of(locked)
        ended = await limited.pass_on(locked, await end_undecidable(locked), left=left)
        return Scoring(ended), gathered
    gathered, _ = await bring_up_to_date(locked, qualification, gathered)
    assessment = await judge(locked, qualification, gathered)
    scoring = Scoring(locked.standing, Verdict(assessment.verdict), assessment.score)
    return scoring, replace(gathered, answers=None, assessment=assessment)


async def _ask(provider: FraudProvider, *, referrer_id: str, referee_id: str) -> bool | None:
    try:
        async with asyncio.timeout(PROVIDER_TIMEOUT_S):
            return await provider.suspects(referrer_id=referrer_id, referee_id=referee_id)
    except Exception as fault:  # noqa: BLE001 - a provider may raise anything; its answer is then missing
        _log.warning("fraud_provider_unavailable", provider=provider.name, error=describe(fault))
        return None
