"""Locked referrals: each act reads and changes one, under its locks, in one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from activities.direct_signals import OPEN_TO_ALL, SignalledRecorder, SignalPolicy
from activities.messages import ActRequest
from db import locks
from db.clock import database_now, time_to_act
from db.engine import Database, Session
from db.tables import ReferralRow
from domain.campaigns.limits.periods import CALENDAR_YEAR, TaxYearStart
from domain.campaigns.limits.thresholds import NO_THRESHOLDS, Thresholds
from domain.campaigns.terms import Terms
from domain.fraud.cases import DEFAULT_SECOND_PERSON_LIMITS, SecondPersonLimits
from domain.fraud.rule_sets import RuleSet
from domain.intake.facts import (
    Fact,
    FactKind,
    StatusChange,
)
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing
from domain.privacy import Hasher
from domain.rewards.eligibility import Ineligibility, eligibility
from domain.rewards.qualification import Judge, Qualification
from referrals.attribution.tokens import Tokens
from referrals.campaigns.exchange import lookup
from referrals.intake.origins import Networks
from referrals.lifecycle import act_locks, stages
from referrals.lifecycle.act_locks import ActLocks
from referrals.lifecycle.circumstances import circumstances_of
from referrals.reporting.recorded import Recorded, load_recorded
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
    second_person: SecondPersonLimits = DEFAULT_SECOND_PERSON_LIMITS
    """Amounts above which two people must approve what is held for a review."""
    exchange: lookup.Exchange = lookup.NO_EXCHANGE
    """Rates by which the terms are converted, and the currency of written rewards."""
    _read: list[Recorded] = field(default_factory=list)
    """Contains what is recorded, once the act has asked for it."""

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

    async def recorded(self) -> Recorded:
        """Return what the act decides by, as it was recorded when it was first asked for."""
        if not self._read:
            self._read.append(await load_recorded(self.session, self.referral, at=self.now))
        return self._read[0]

    async def money_facts(self) -> tuple[Fact, ...]:
        """Return the referee's deposits, and the refunds and chargebacks of them."""
        recorded, players = await self.recorded(), {self.referee_id}
        return recorded.facts_of(self.session, players, FactKind.DEPOSIT, FactKind.CHARGEBACK)

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
            circumstances=await circumstances_of(self.session, self.referral, self.terms),
        )

    async def ineligibilities(self) -> tuple[Ineligibility, ...]:
        """Return why one of the two players may not be credited; empty when both may."""
        pair = {self.referral.referrer_id, self.referee_id}
        recorded = (await self.recorded()).facts_of(self.session, pair, FactKind.PLAYER)
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
        max_clock_drift: timedelta | None = None,
        has_wallet: bool = False,
        tax_year_start: TaxYearStart = CALENDAR_YEAR,
        thresholds: Thresholds = NO_THRESHOLDS,
        second_person: SecondPersonLimits = DEFAULT_SECOND_PERSON_LIMITS,
        rule_set: RuleSet | None = None,
        direct_signals: SignalPolicy = OPEN_TO_ALL,
        networks: Networks | None = None,
    ) -> None:
        """Take the dependencies; without `max_clock_drift`, where time is skipped, any `now` goes.

        `max_clock_drift` bounds how far a workflow's `now` may be from the database's clock.
        """
        self.database = database
        self.hasher = hasher
        self.tokens = tokens
        self.max_clock_drift = max_clock_drift
        self.has_wallet = has_wallet
        self.tax_year_start = tax_year_start
        self.thresholds = thresholds
        self.second_person = second_person
        self.rule_set = rule_set
        self._signals = SignalledRecorder(
            hasher=hasher, tokens=tokens, policy=direct_signals, networks=networks
        )

    @asynccontextmanager
    async def lock(
        self, request: ActRequest, *, with_players: bool = True
    ) -> AsyncIterator[LockedReferral]:
        """Lock the players, record the signalled facts, then lock the referral, in that order.

        An act that reads no facts and moves no money needs no players, unless facts were signalled:
        those of a referrer with many referees must not wait for each other.
        ClockAheadError, which Temporal retries, while the workflow's clock is too far ahead; an act
        that is far behind is done by the database's clock.
        """
        async with self.database.transaction() as session:
            if request.heard.facts or request.heard.decisions:
                locked = await self._record_and_lock(session, request)
            elif with_players:
                locked = await act_locks.lock_pair(session, request.referral_id)
            else:
                locked = await act_locks.lock_alone(session, request.referral_id)
            if locked is None:
                raise RuntimeError(f"no referral {request.referral_id} is recorded")
            now = self._time_to_act(request, locked.clock)
            row = locked.referral
            found = LockedReferral(
                session, row, now, self.has_wallet, self.tax_year_start, self.rule_set
            )
            exchange = await lookup.exchange_of(session, row)
            yield replace(
                found,
                exchange=exchange,
                thresholds=self.thresholds,
                second_person=self.second_person,
            )

    async def _record_and_lock(self, session: Session, request: ActRequest) -> ActLocks | None:
        """Record the signalled facts under the locks of all players, then lock the referral."""
        await locks.lock_players(session, *await _players(session, request))
        now = self._time_to_act(request, await database_now(session))
        await self._signals.record(session, replace(request, now=now))
        return await act_locks.lock_alone(session, request.referral_id)

    def _time_to_act(self, request: ActRequest, clock: datetime) -> datetime:
        return time_to_act(request.now, clock=clock, max_drift=self.max_clock_drift)

    async def pair_ids(self, referral_id: UUID) -> tuple[str, str]:
        """Return the ids of the referrer and the referee of a referral that has its signup."""
        async with self.database.reading() as session:
            pair = await stages.pair_ids(session, referral_id)
        if pair is None:
            raise LookupError(f"no referral {referral_id} is recorded")
        referrer_id, referee_id = pair
        return referrer_id, referee_id or ""


async def _players(session: Session, request: ActRequest) -> list[str]:
    recorded = await stages.pair_ids(session, request.referral_id) or ()
    return [
        *(player_id for player_id in recorded if player_id),
        *(signup.player_id for signup in request.heard.signups),
    ]
