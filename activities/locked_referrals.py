"""Locked referrals: each act reads and changes one, under its locks, in one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from activities.direct_signals import OPEN_TO_ALL, SignalPolicy, report_refusal
from activities.messages import ActRequest, SignalledFacts
from db import locks
from db.clock import check_clock
from db.engine import Database, Session
from db.reporters import Reporter
from db.tables import ReferralRow
from domain.campaigns.limits.periods import CALENDAR_YEAR, TaxYearStart
from domain.campaigns.limits.thresholds import NO_THRESHOLDS, Thresholds
from domain.campaigns.terms import Terms
from domain.fraud.rule_sets import RuleSet
from domain.intake.facts import (
    Chargeback,
    Deposit,
    Fact,
    FactKind,
    Signup,
    StatusChange,
    kind_of,
)
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing
from domain.privacy import Hasher
from domain.rewards.eligibility import Ineligibility, eligibility
from domain.rewards.qualification import Judge, Qualification
from referrals.attribution import binding
from referrals.attribution.tokens import Tokens
from referrals.campaigns.exchange import lookup
from referrals.intake import facts
from referrals.intake.facts import RecordOutcome
from referrals.intake.origins import Networks, matching_with_origin
from referrals.lifecycle import stages
from referrals.lifecycle.circumstances import circumstances_of
from referrals.rewards import hold_notes

NOTED_STAGES: Final = frozenset({Stage.HELD, Stage.DEFERRED})
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LockedReferral:
    """A locked referral and the transaction that holds its locks."""

    session: Session
    referral: ReferralRow
    now: datetime
    has_wallet: bool = False
    """True where the sportsbook's wallet holds the balances, and is paid by orders."""
    tax_year_start: TaxYearStart = CALENDAR_YEAR
    rule_set: RuleSet | None = None
    """Rules by which the pair is assessed; the live ones where it is None."""
    thresholds: Thresholds = field(default_factory=dict)
    """Yearly thresholds of players over all campaigns."""
    exchange: lookup.Exchange = lookup.NO_EXCHANGE
    """Rates by which the terms are converted, and the currency of written rewards."""

    @property
    def standing(self) -> Standing:
        return stages.standing_of(self.referral)

    @property
    def standing_found(self) -> Standing:
        """The standing of a referral that is elsewhere than the workflow believed."""
        return replace(self.standing, is_found=True)

    @property
    def terms(self) -> Terms:
        return lookup.with_exchange(stages.terms_of(self.referral), self.exchange)

    @property
    def referee_id(self) -> str:
        if self.referral.referee_id is None:
            raise RuntimeError(f"referral {self.referral.id} earns without a referee")
        return self.referral.referee_id

    def is_still_at(self, standing: Standing) -> bool:
        return self.referral.stage is standing.stage

    async def enter(
        self,
        stage: Stage,
        *,
        until: datetime,
        reason: ReasonCode | None = None,
        detail: str = "",
    ) -> Standing:
        """Move to a stage now, with its timeline row and its event."""
        standing = await stages.enter_stage(
            self.session,
            self.referral,
            stage,
            until=until,
            at=self.now,
            reason=reason,
            detail=detail,
        )
        if stage not in NOTED_STAGES:
            return standing
        return replace(standing, note=await hold_notes.note_of(self.session, self.referral))

    async def money_facts(self) -> tuple[Fact, ...]:
        """Return the referee's deposits, and the refunds and chargebacks of them."""
        return await facts.facts_of_player(
            self.session, self.referee_id, FactKind.DEPOSIT, FactKind.CHARGEBACK
        )

    async def qualification(self) -> Qualification | None:
        """Return what earns the reward by all facts recorded now."""
        judge = await self.judge()
        return judge.qualification() if judge is not None else None

    async def judge(self) -> Judge | None:
        """Return a judge of the referee's deposits by all facts recorded now."""
        if self.referral.signed_up_at is None:
            return None
        return Judge(
            await self.money_facts(),
            self.terms,
            signed_up_at=self.referral.signed_up_at,
            circumstances=await circumstances_of(self.session, self.referral),
        )

    async def ineligibilities(self) -> tuple[Ineligibility, ...]:
        """Return why one of the two players may not be credited; empty when both may."""
        pair = {self.referral.referrer_id, self.referee_id}
        recorded = await facts.facts_of_players(self.session, pair, FactKind.PLAYER)
        changes = [fact for fact in recorded if isinstance(fact, StatusChange)]
        wrong = {
            reason
            for player in pair
            for reason in eligibility(c for c in changes if c.player_id == player).reasons
        }
        return tuple(sorted(wrong))


class LockedReferrals:
    """Locks referrals for the acts, and records the facts that arrived as signals."""

    def __init__(  # noqa: PLR0913 - each is a dependency or a setting
        self,
        database: Database,
        *,
        hasher: Hasher,
        tokens: Tokens,
        max_clock_lead: timedelta | None = None,
        has_wallet: bool = False,
        tax_year_start: TaxYearStart = CALENDAR_YEAR,
        thresholds: Thresholds = NO_THRESHOLDS,
        rule_set: RuleSet | None = None,
        direct_signals: SignalPolicy = OPEN_TO_ALL,
        networks: Networks | None = None,
    ) -> None:
        """Take the dependencies; without `max_clock_lead`, where time is skipped, any `now` goes.

        `max_clock_lead` bounds how far a workflow's `now` may be ahead of the database's clock.
        """
        self.database = database
        self.hasher = hasher
        self.tokens = tokens
        self.max_clock_lead = max_clock_lead
        self.has_wallet = has_wallet
        self.tax_year_start = tax_year_start
        self.thresholds = thresholds
        self.rule_set = rule_set
        self.direct_signals = direct_signals
        self.networks = networks

    @asynccontextmanager
    async def lock(
        self, request: ActRequest, *, with_players: bool = True
    ) -> AsyncIterator[LockedReferral]:
        """Lock the players, record the signalled facts, then lock the referral, in that order.

        An act that reads no facts and moves no money needs no players, unless facts were signalled:
        those of a referrer with many referees must not wait for each other.
        ClockAheadError, which Temporal retries, while the workflow's clock is too far ahead.
        """
        async with self.database.transaction() as session:
            await check_clock(session, request.now, max_lead=self.max_clock_lead)
            if with_players or request.heard.facts:
                await locks.lock_players(session, *await _players(session, request))
            await self._record_signalled(session, request)
            row = await stages.lock_referral(session, request.referral_id)
            if row is None:
                raise RuntimeError(f"no referral {request.referral_id} is recorded")
            found = LockedReferral(
                session, row, request.now, self.has_wallet, self.tax_year_start, self.rule_set
            )
            exchange = await lookup.exchange_of(session, row)
            yield replace(found, exchange=exchange, thresholds=self.thresholds)

    async def pair_ids(self, referral_id: UUID) -> tuple[str, str]:
        """Return the ids of the referrer and the referee of a referral that has its signup."""
        async with self.database.reading() as session:
            pair = await stages.pair_ids(session, referral_id)
        if pair is None:
            raise LookupError(f"no referral {referral_id} is recorded")
        referrer_id, referee_id = pair
        return referrer_id, referee_id or ""

    async def _record_signalled(self, session: Session, request: ActRequest) -> None:
        """Record what is about the referral's own players, after the signup that names the referee.

        A signalled decision only wakes: whoever reaches Temporal could sign it with any name, so
        that it counts once it was recorded over HTTP, where its key was checked.
        """
        heard = await self._allowed(session, request.heard)
        for signup in heard.signups:
            await self._record(session, request, signup)
        money: tuple[Deposit | Chargeback, ...] = (*heard.deposits, *heard.chargebacks)
        own = await stages.pair_ids(session, request.referral_id) if money else None
        for fact in money:
            if fact.player_id in (own or ()):
                await self._record(session, request, fact)
            else:
                report_refusal(kind_of(fact), "another_player")
        for decision in heard.decisions:
            if not await facts.is_recorded(session, FactKind.DECISION, decision.event_id):
                _log.warning("unrecorded_decision", event_id=decision.event_id)

    async def _allowed(self, session: Session, heard: SignalledFacts) -> SignalledFacts:
        """Leave out what may not come by a signal, and was not recorded through another door."""
        refused = set()
        for fact in heard.facts:
            reason = self.direct_signals.refusal(fact, heard.signatures)
            kind = kind_of(fact)
            if reason and not await facts.is_recorded(session, kind, fact.event_id):
                report_refusal(kind, reason)
                refused.add((kind, fact.event_id))
        if not refused:
            return heard
        return replace(
            heard,
            signups=tuple(f for f in heard.signups if (kind_of(f), f.event_id) not in refused),
            deposits=tuple(f for f in heard.deposits if (kind_of(f), f.event_id) not in refused),
            chargebacks=tuple(
                f for f in heard.chargebacks if (kind_of(f), f.event_id) not in refused
            ),
        )

    async def _record(self, session: Session, request: ActRequest, signalled: Fact) -> None:
        said = facts.body_of(signalled)
        body = self.hasher.hash_personal(said)
        fact = facts.fact_of(kind_of(signalled), body)
        recorded = await facts.record_fact(
            session,
            fact,
            player_id=str(body["player_id"]),
            door="signal",
            reporter=Reporter(None, f"referral:{request.referral_id}"),
            matching=matching_with_origin(said, self.hasher, self.networks),
            code_hash=self.hasher.hash("code", body["code"]) if body.get("code") else None,
        )
        if recorded is RecordOutcome.CONFLICT:
            _log.warning("event_conflict", event_id=fact.event_id, kind=kind_of(fact))
            if isinstance(fact, Signup):
                await self._bind_recorded_signup(session, request, fact)
        elif isinstance(fact, Signup):
            refusal = self.direct_signals.refusal(signalled, request.heard.signatures)
            await binding.bind_signup(
                session,
                fact,
                tokens=self.tokens,
                now=request.now,
                signalled_to=None if refusal else request.referral_id,
            )

    async def _bind_recorded_signup(
        self, session: Session, request: ActRequest, signalled: Signup
    ) -> None:
        """Bind the signup that another door recorded first, with other content: that one counts."""
        signups = await facts.facts_of_player(session, signalled.player_id, FactKind.SIGNUP)
        recorded = next((fact for fact in signups if fact.event_id == signalled.event_id), None)
        if isinstance(recorded, Signup):
            await binding.bind_signup(session, recorded, tokens=self.tokens, now=request.now)
        await binding.supersede_if_bound_elsewhere(
            session, signalled.event_id, request.referral_id, now=request.now
        )


async def _players(session: Session, request: ActRequest) -> list[str]:
    recorded = await stages.pair_ids(session, request.referral_id) or ()
    return [
        *(player_id for player_id in recorded if player_id),
        *(signup.player_id for signup in request.heard.signups),
    ]
