"""Explanations: what one referral would get by a version of its campaign's terms, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import Campaign, CampaignVersion, ReferralRow
from domain.campaigns.conditions.evaluation import Judged
from domain.campaigns.conditions.tree import Condition, Leaf, leaves
from domain.campaigns.limits.periods import TaxYearStart
from domain.campaigns.rules import RewardKey, RewardType
from domain.campaigns.terms import Terms
from domain.intake.facts import Deposit, FactKind
from domain.money import Money, RewardKind
from domain.rewards.circumstances import Circumstances
from domain.rewards.computed import (
    Frozen,
    amount_of,
    compute_rewards,
    frozen_place,
    write_computation,
    write_flat,
)
from domain.rewards.qualification import Judge
from referrals.campaigns.exchange.lookup import terms_with_rates
from referrals.campaigns.limits import Allowance, usage_of
from referrals.campaigns.variants import Promised, promised_to
from referrals.campaigns.versions import terms_from
from referrals.intake import facts
from referrals.lifecycle.circumstances import load_pairs
from referrals.lifecycle.turnover import load_turnovers


@dataclass(frozen=True, slots=True)
class ExplainedLeaf:
    """A comparison of the condition, with its sums in the deposit's currency, and what it met."""

    leaf: Leaf
    judged: Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedReward:
    to: RewardType
    kind: RewardKind
    amount: Money
    computation: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The judgement of a referral's facts by terms, nothing of which is stored."""

    version: int
    qualifies: bool
    variant: str | None = None
    """Variant of the version that its referrer falls under, or was promised."""
    condition: Condition | None = None
    """Condition of the terms as they are written; None where they have none."""
    conditions: Sequence[ExplainedLeaf] = ()
    rewards: Sequence[ExplainedReward] = ()
    limits: Sequence[Allowance] = ()


class UnknownVersionError(LookupError):
    """The campaign has no such version."""


async def explain(
    session: ReadSession,
    slug: str,
    referral_id: UUID,
    *,
    version: int | None,
    at: datetime,
    tax_year_start: TaxYearStart,
) -> Explanation | None:
    """Judge a referral by a version of its campaign, or by the one it was promised.

    None for a campaign that has no such referral. UnknownVersionError for a version that it lacks.
    """
    query = select(ReferralRow).join(Campaign, Campaign.id == ReferralRow.campaign_id)
    row = await session.scalar(query.where(ReferralRow.id == referral_id, Campaign.slug == slug))
    if row is None:
        return None
    found = await _version(session, row, version)
    promised = (
        Promised(row.variant, row.terms)
        if found.id == row.campaign_version_id
        else promised_to(found.terms, found.variants, slug=slug, referrer_id=row.referrer_id)
    )
    promise = terms_from(promised.terms)
    unjudged = Explanation(
        version=found.version,
        variant=promised.variant,
        qualifies=False,
        condition=promise.rules.when,
        limits=await usage_of(session, row, found, at=at, tax_year_start=tax_year_start),
    )
    if row.referee_id is None or row.signed_up_at is None:
        return unjudged
    terms = await terms_with_rates(session, row, promise)
    turnovers = (await load_turnovers(session, {row.id: terms})).get(row.id, {})
    circumstances = replace((await load_pairs(session, [row.id]))[row.id], turnovers=turnovers)
    recorded = await facts.facts_of_player(
        session, row.referee_id, FactKind.DEPOSIT, FactKind.CHARGEBACK
    )
    judge = Judge(recorded, terms, signed_up_at=row.signed_up_at, circumstances=circumstances)
    earned = judge.qualification()
    return replace(
        unjudged,
        qualifies=earned is not None,
        conditions=_conditions(judge, [f for f in recorded if isinstance(f, Deposit)], earned),
        rewards=_rewards(terms, earned.left, circumstances) if earned else (),
    )


async def _version(session: ReadSession, row: ReferralRow, version: int | None) -> CampaignVersion:
    query = select(CampaignVersion).where(CampaignVersion.campaign_id == row.campaign_id)
    wanted = (
        CampaignVersion.id == row.campaign_version_id
        if version is None
        else CampaignVersion.version == version
    )
    found = await session.scalar(query.where(wanted))
    if found is None:
        raise UnknownVersionError(f"version {version}")
    return found


def _conditions(
    judge: Judge, deposits: Sequence[Deposit], earned: object
) -> Sequence[ExplainedLeaf]:
    """Return each leaf of the condition, judged by the deposit that qualifies, or the newest."""
    shown = deposits[-1] if deposits else None
    for found in judge.candidates():
        shown = found[0]
        if earned and judge.shortfall(found) is None:
            break
    evaluation = judge.evaluate(shown) if shown else None
    if evaluation is None:
        return ()
    return list(map(ExplainedLeaf, leaves(evaluation.condition), evaluation.trace))


def _rewards(terms: Terms, base: Money, circumstances: Circumstances) -> Sequence[ExplainedReward]:
    known = circumstances.known
    rewarded, jurisdiction = known.get("referrer.rewarded"), known.get("referee.jurisdiction")
    frozen = Frozen(
        count=1 + (rewarded if isinstance(rewarded, int) else 0),
        jurisdiction=frozen_place(terms, jurisdiction if isinstance(jurisdiction, str) else None),
    )
    computed = compute_rewards(terms, base, frozen)
    flat = {
        RewardKey(RewardType.REFERRER): terms.referrer_reward,
        RewardKey(RewardType.REFEREE): terms.referee_reward,
    }
    shown = {
        key: (amount_of(one, currency=base.currency), write_computation(one))
        for key, one in computed.items()
    } or {key: (amount, write_flat(amount)) for key, amount in flat.items() if amount}
    return [
        ExplainedReward(to=key.to, kind=key.kind, amount=amount, computation=computation)
        for key, (amount, computation) in shown.items()
        if amount.minor
    ]
