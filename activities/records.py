"""The recorded referral that an act looks at: opened under its locks, in one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from activities.messages import Look
from db import locks
from db.engine import Database, Session
from db.tables import ReferralRow
from domain.campaigns.terms import Terms
from domain.intake.facts import Deposit, Fact, FactKind, Signup, StatusChange, kind_of
from domain.lifecycle.referral import Standing
from domain.privacy import Hasher
from domain.rewards.qualification import is_eligible, qualifying_deposit
from referrals.attribution import decide as binding
from referrals.attribution.tokens import Tokens
from referrals.fraud import reviews
from referrals.intake import facts
from referrals.intake.facts import RecordOutcome
from referrals.lifecycle import stages

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Record:
    """A locked referral and the transaction that holds its locks."""

    session: Session
    referral: ReferralRow
    now: datetime

    @property
    def standing(self) -> Standing:
        return stages.standing_of(self.referral)

    @property
    def terms(self) -> Terms:
        return stages.terms_of(self.referral)

    @property
    def referee_id(self) -> str:
        if self.referral.referee_id is None:
            raise RuntimeError(f"referral {self.referral.id} earns without a referee")
        return self.referral.referee_id

    def is_still_at(self, standing: Standing) -> bool:
        return self.referral.stage is standing.stage

    async def money_facts(self) -> tuple[Fact, ...]:
        """What the referee deposited, and what of it was taken back."""
        return await facts.facts_of_player(
            self.session, self.referee_id, FactKind.DEPOSIT, FactKind.CHARGEBACK
        )

    async def qualifying_deposit(self) -> Deposit | None:
        """The deposit that earns the reward by all that is known now."""
        if self.referral.signed_up_at is None:
            return None
        return qualifying_deposit(
            await self.money_facts(), self.terms, signed_up_at=self.referral.signed_up_at
        )

    async def both_are_eligible(self) -> bool:
        """Whether neither player is self-excluded or closed, as far as anything was heard."""
        pair = {self.referral.referrer_id, self.referee_id}
        heard = await facts.facts_of_players(self.session, pair, FactKind.PLAYER)
        changes = [fact for fact in heard if isinstance(fact, StatusChange)]
        return all(is_eligible(c for c in changes if c.player_id == player) for player in pair)


class LockedReferrals:
    """Opens records for the acts, and records events that came as signals."""

    def __init__(self, database: Database, *, hasher: Hasher, tokens: Tokens) -> None:
        self.database = database
        self.hasher = hasher
        self.tokens = tokens

    @asynccontextmanager
    async def opened(self, look: Look) -> AsyncIterator[Record]:
        """Lock the players, record what was heard, then lock the referral, in that order."""
        async with self.database.transaction() as session:
            await locks.lock_players(session, *await _players(session, look))
            await self._record_signalled(session, look)
            row = await stages.lock_referral(session, look.referral_id)
            if row is None:
                raise RuntimeError(f"no referral {look.referral_id} is recorded")
            yield Record(session, row, look.now)

    async def pair(self, referral_id: UUID) -> tuple[str, str]:
        """Return the referrer and the referee of a referral that was signed up for."""
        async with self.database.reading() as session:
            pair = await stages.pair_ids(session, referral_id)
        if pair is None:
            raise LookupError(f"no referral {referral_id} is recorded")
        referrer_id, referee_id = pair
        return referrer_id, referee_id or ""

    async def _record_signalled(self, session: Session, look: Look) -> None:
        for fact in look.heard.facts:
            await self._record(session, look, fact)
        for decision in look.heard.decisions:
            review_id = reviews.review_id(look.referral_id)
            await reviews.decide(session, review_id=review_id, decision=decision)

    async def _record(self, session: Session, look: Look, heard: Fact) -> None:
        body = self.hasher.hash_personal(facts.body_of(heard))
        fact = facts.fact_of(kind_of(heard), body)
        recorded = await facts.record_fact(
            session, fact, player_id=str(body["player_id"]), door="signal"
        )
        if recorded is RecordOutcome.CONFLICT:
            _log.warning("event_conflict", event_id=fact.event_id, kind=kind_of(fact))
            if isinstance(fact, Signup):
                await self._bind_recorded_signup(session, look, fact)
        elif isinstance(fact, Signup):
            await binding.bind_signup(
                session,
                fact,
                tokens=self.tokens,
                now=look.now,
                signalled_to=look.referral_id,
            )

    async def _bind_recorded_signup(self, session: Session, look: Look, heard: Signup) -> None:
        """Another door was told of this signup with other content, which is what counts."""
        signups = await facts.facts_of_player(session, heard.player_id, FactKind.SIGNUP)
        counted = next((fact for fact in signups if fact.event_id == heard.event_id), None)
        if isinstance(counted, Signup):
            await binding.bind_signup(session, counted, tokens=self.tokens, now=look.now)
        await binding.supersede_if_bound_elsewhere(
            session, heard.event_id, look.referral_id, now=look.now
        )


async def _players(session: Session, look: Look) -> list[str]:
    recorded = await stages.pair_ids(session, look.referral_id) or ()
    return [
        *(player_id for player_id in recorded if player_id),
        *(signup.player_id for signup in look.heard.signups),
    ]
