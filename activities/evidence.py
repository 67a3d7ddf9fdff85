"""Gathering of fraud evidence before the locks, and its check for currency under them."""

from dataclasses import dataclass, replace
from uuid import UUID

from activities.locked_referrals import LockedReferral
from db.engine import Database, ReadSession
from db.tables import AssessmentRow, ReferralRow
from domain.fraud.lists import ListName
from domain.fraud.snapshot import ListHits, Snapshot
from domain.intake.facts import FactKind
from domain.rewards.qualification import Qualification, qualification
from referrals.campaigns.exchange.lookup import terms_with_rates
from referrals.fraud import assessments, evidence, lists, rule_sets
from referrals.fraud.shadows import assess_in_shadow
from referrals.intake import facts
from referrals.lifecycle import stages
from referrals.lifecycle.circumstances import circumstances_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswers:
    """Names of the providers that warned, and of those that did not answer."""

    warnings: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Evidence about the pair as it was before the locks, for one qualification.

    `answers` are the providers' newest ones; None where none was asked, and the stored ones count.
    """

    snapshot: Snapshot | None = None
    deposit_event_id: str = ""
    marker: str = ""
    answers: ProviderAnswers | None = None
    assessment: AssessmentRow | None = None
    """The assessment of this evidence, where it was stored already."""


NOTHING_GATHERED = Gathered()


async def gather(database: Database, referral_id: UUID) -> Gathered:
    """Return the evidence about what qualifies by the facts recorded now; nothing without any."""
    async with database.snapshot() as session:
        row = await stages.find_referral(session, referral_id)
        if row is None or row.referee_id is None or row.signed_up_at is None:
            return NOTHING_GATHERED
        money_facts = await facts.facts_of_player(
            session, row.referee_id, FactKind.DEPOSIT, FactKind.CHARGEBACK
        )
        terms = await terms_with_rates(session, row, stages.terms_of(row))
        found = qualification(
            money_facts,
            terms,
            signed_up_at=row.signed_up_at,
            circumstances=await circumstances_of(session, row, terms),
        )
        if found is None:
            return NOTHING_GATHERED
        marked = await evidence.load_marked(session, row, deposit_event_id=found.fact_ids[0])
        return Gathered(
            snapshot=marked.snapshot, deposit_event_id=found.fact_ids[0], marker=marked.marker
        )


async def judge(locked: LockedReferral, found: Qualification, gathered: Gathered) -> AssessmentRow:
    """Assess a qualification by the gathered evidence, or by newer evidence where that is stale.

    An assessment of this qualification on the same evidence stands; otherwise a new one is stored.
    Without new answers of the fraud providers, the stored ones count.
    """
    _, snapshot = await bring_up_to_date(locked, found, gathered)
    snapshot = await _with_list_hits(locked, snapshot)
    known = await assessments.find_assessment(locked.session, locked.referral.assessment_id)
    answers = gathered.answers or _stored_answers(known)
    active = (await locked.recorded()).rule_sets or await rule_sets.active(locked.session)
    campaign = locked.referral.campaign_slug
    judged = await assessments.assess_and_store(
        locked.session,
        locked.referral,
        replace(snapshot, warnings=answers.warnings, unavailable=answers.unavailable),
        deposit_event_id=found.fact_ids[0],
        at=locked.now,
        rule_set=locked.rule_set or active.live.of(campaign),
    )
    if active.shadow is not None:
        await assess_in_shadow(locked.session, judged, active.shadow.of(campaign))
    return judged


async def stored_score(locked: LockedReferral) -> int:
    """Return the score of the newest assessment; 0 without one."""
    known = await assessments.find_assessment(locked.session, locked.referral.assessment_id)
    return known.score if known else 0


async def known_answers(session: ReadSession, referral_id: UUID) -> ProviderAnswers:
    """Return the fraud providers' answers when a referral was last assessed."""
    row = await session.get(ReferralRow, referral_id)
    return _stored_answers(
        await assessments.find_assessment(session, row.assessment_id if row else None)
    )


async def bring_up_to_date(
    locked: LockedReferral, found: Qualification, gathered: Gathered
) -> tuple[Gathered, Snapshot]:
    """Return the evidence about a qualification, gathered under the locks where it is stale."""
    marker, deposit_event_id = (await locked.recorded()).marker, found.fact_ids[0]
    is_of_deposit = gathered.deposit_event_id == deposit_event_id
    if gathered.snapshot is not None and is_of_deposit and gathered.marker == marker:
        return gathered, gathered.snapshot
    snapshot = await evidence.load_snapshot(
        locked.session, locked.referral, deposit_event_id=deposit_event_id
    )
    newer = replace(gathered, snapshot=snapshot, deposit_event_id=deposit_event_id, marker=marker)
    return newer, snapshot


async def _with_list_hits(locked: LockedReferral, snapshot: Snapshot) -> Snapshot:
    """Add what the lists say by now, and count the referral as a hit of their entries."""
    hits = (await locked.recorded()).hits
    await lists.record_hits(locked.session, hits, referral_id=locked.referral.id, at=locked.now)
    found = {name.value: hits.kinds_on(name) for name in ListName}
    return replace(snapshot, lists=ListHits(**found))


def _stored_answers(known: AssessmentRow | None) -> ProviderAnswers:
    """Return the answers that are part of stored evidence, of this release or of 0.2."""
    if known is None:
        return ProviderAnswers()
    return ProviderAnswers(
        warnings=tuple(known.evidence["warnings"]),
        unavailable=tuple(known.evidence["unavailable"]),
    )
