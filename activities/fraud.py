"""Whether a deposit earns the reward, and whether its two players can be trusted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import structlog
from temporalio import activity

from activities.messages import Look, Scoring
from activities.records import LockedReferrals, Record
from domain.fraud.rules import Assessment
from referrals.fraud import assessments, evidence

PROVIDER_TIMEOUT_S: Final = 2.0

_log = structlog.get_logger()


class FraudProvider(Protocol):
    """A source of doubt outside this service, such as a device intelligence provider."""

    name: str

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        """Whether it warns of this pair; any exception or silence counts as unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Names of the outside signals that warned, and of those that did not answer."""

    warnings: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()

    @classmethod
    def of(cls, evidence: dict[str, Any]) -> "Outside":
        """What the outside said when some stored evidence was gathered."""
        return cls(warnings=tuple(evidence["warnings"]), unavailable=tuple(evidence["unavailable"]))


class FraudActivities:
    def __init__(self, records: LockedReferrals, signals: Sequence[FraudProvider] = ()) -> None:
        self._records = records
        self._providers = signals

    @activity.defn
    async def score_fraud(self, look: Look) -> Scoring:
        """Assess the qualifying deposit and store the assessment with its evidence.

        Answers no verdict while no deposit qualifies, or when the referral stands elsewhere. A
        signal that fails or takes over 2 s makes the verdict REVIEW at least, never a silent PASS.
        """
        outside = await self._ask_providers(look)
        async with self._records.opened(look) as record:
            deposit = await record.qualifying_deposit()
            if not record.is_still_at(look.standing) or deposit is None:
                return Scoring(record.standing)
            assessment = await assess_deposit(record, deposit.event_id, outside)
            return Scoring(record.standing, assessment.verdict, assessment.score)

    async def _ask_providers(self, look: Look) -> Outside:
        if not self._providers:
            return Outside()
        referrer_id, referee_id = await self._records.pair(look.referral_id)
        asked = {
            signal.name: self._ask(signal, referrer_id=referrer_id, referee_id=referee_id)
            for signal in self._providers
        }
        answers = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
        return Outside(
            warnings=tuple(name for name, warns in answers.items() if warns),
            unavailable=tuple(name for name, warns in answers.items() if warns is None),
        )

    async def _ask(
        self, signal: FraudProvider, *, referrer_id: str, referee_id: str
    ) -> bool | None:
        try:
            async with asyncio.timeout(PROVIDER_TIMEOUT_S):
                return await signal.suspects(referrer_id=referrer_id, referee_id=referee_id)
        except Exception:  # noqa: BLE001 - whatever a provider raises, its answer is missing
            _log.warning("fraud_provider_unavailable", signal=signal.name)
            return None


async def assess_deposit(
    record: Record, deposit_event_id: str, outside: Outside | None = None
) -> Assessment:
    """Judge the pair by what is recorded now, and store the assessment."""
    outside = outside or Outside()
    recorded = await evidence.of_pair(
        record.session, referrer_id=record.referral.referrer_id, referee_id=record.referee_id
    )
    return await assessments.store(
        record.session,
        record.referral,
        replace(recorded, warnings=outside.warnings, unavailable=outside.unavailable),
        deposit_event_id=deposit_event_id,
        at=record.now,
    )
