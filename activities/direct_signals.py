"""Facts that services signal directly: which of them may be recorded, and their recording."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import structlog
from pydantic import ValidationError
from temporalio import activity

from activities.messages import ActRequest, SignalledFacts, Signature
from db.engine import Session
from db.reporters import Reporter
from domain.intake.direct_signals import DirectSignals, is_signed
from domain.intake.facts import Chargeback, Deposit, Fact, FactKind, Signup, kind_of
from domain.intake.sources import DEFAULT_SOURCE, SEPARATOR
from domain.privacy import Hasher
from referrals.attribution import binding
from referrals.attribution.tokens import Tokens
from referrals.intake import facts
from referrals.intake.canonical import body_of
from referrals.intake.events import (
    ChargebackIn,
    DepositIn,
    EventIn,
    SignupIn,
    first_fault,
    read_event,
    without_refused_traits,
)
from referrals.intake.facts import RecordOutcome, Report
from referrals.intake.fields import TOO_EARLY
from referrals.intake.origins import Networks
from referrals.lifecycle import stages

_SCHEMAS: Final[Mapping[FactKind, type[EventIn]]] = {
    FactKind.SIGNUP: SignupIn,
    FactKind.DEPOSIT: DepositIn,
    FactKind.CHARGEBACK: ChargebackIn,
}
"""Schemas of the events that may come by a signal: those of the other doors."""
_REASONS: Final = {"occurred_at": TOO_EARLY, "amount": "amount", "currency": "currency"}
"""Reasons against an event by the field that is at fault; for any other it is its shape."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """The mode of direct signals, and the keys of the services that sign them."""

    mode: DirectSignals = DirectSignals.OPEN
    keys: tuple[str, ...] = field(default=(), repr=False)

    def refusal(
        self,
        fact: Fact,
        signatures: Iterable[Signature],
        *,
        now: datetime,
        is_refusing: bool = False,
    ) -> str | None:
        """Return why a fact counts only if another door has recorded it; None if it counts.

        `now` is the act's clock, ahead of which a fact may be as little as at the other doors.
        """
        if self.mode is DirectSignals.OFF:
            return "off"
        if SEPARATOR in fact.event_id:
            return "source"
        try:
            event = event_of(fact, now=now, is_refusing=is_refusing)
        except ValidationError as fault:
            return _REASONS.get(str(first_fault(fault)["loc"][0]), "shape")
        if self.mode is DirectSignals.OPEN or self._is_signed(fact, event, signatures, now):
            return None
        return "signature"

    def _is_signed(
        self, fact: Fact, event: EventIn, signatures: Iterable[Signature], now: datetime
    ) -> bool:
        key = (kind_of(fact), fact.event_id)
        return any(
            is_signed(given.canonical, given.signature, self.keys)
            and _says(given.canonical, event, now)
            for given in signatures
            if (given.kind, given.event_id) == key
        )


def event_of(fact: Fact, *, now: datetime, is_refusing: bool) -> EventIn:
    """Return a signalled fact as the other doors read it, or raise ValidationError.

    The workflow read it leniently, as it reads whatever it has ever read. What is said with the
    fact, and is no part of it, is whether its person refuses traits of device and network.
    """
    body = body_of(fact) | ({"consent": False} if is_refusing else {})
    return read_event(_SCHEMAS[kind_of(fact)], body, now=now)


def _says(canonical: str, event: EventIn, now: datetime) -> bool:
    """Return whether the signed JSON is this event: who schedules acts may hand over another."""
    try:
        signed = read_event(type(event), json.loads(canonical), now=now)
    except ValidationError:
        return False
    return without_refused_traits(vars(signed)) == without_refused_traits(vars(event))


OPEN_TO_ALL: Final = SignalPolicy()


def report_refusal(kind: FactKind, reason: str) -> None:
    """Log and count a signal that was not believed, without its content."""
    _log.warning("signal_refused", kind=kind.value, reason=reason)
    if activity.in_activity():
        counter = activity.metric_meter().create_counter(
            "referrals_signals_refused", "Signalled facts that were not believed, by reason."
        )
        counter.add(1, {"kind": kind.value, "reason": reason})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalledRecorder:
    """Records the facts that arrived as signals, in the transaction of the act that they woke."""

    hasher: Hasher
    tokens: Tokens
    policy: SignalPolicy
    networks: Networks | None = None

    async def record(self, session: Session, request: ActRequest) -> None:
        """Record what is about the referral's own players, after the signup that names the referee.

        A signalled decision only wakes: whoever reaches Temporal could sign it with any name, so
        that it counts once it was recorded over HTTP, where its key was checked.
        """
        heard = await self._allowed(session, request)
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

    def _refusal(self, request: ActRequest, fact: Fact) -> str | None:
        key, heard = (kind_of(fact), fact.event_id), request.heard
        if key in heard.loose:
            return "shape"
        return self.policy.refusal(
            fact, heard.signatures, now=request.now, is_refusing=key in heard.refusing
        )

    async def _allowed(self, session: Session, request: ActRequest) -> SignalledFacts:
        """Leave out what may not come by a signal, and was not recorded through another door."""
        heard, refused = request.heard, set()
        for fact in heard.facts:
            reason = self._refusal(request, fact)
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
        report = self._report(request, signalled)
        recorded = RecordOutcome.CONFLICT
        if report is not None:
            (recorded,) = await facts.record_facts(session, (report,), door="signal")
        if recorded is RecordOutcome.CONFLICT:
            kind = kind_of(signalled)
            _log.warning("event_conflict", event_id=signalled.event_id, kind=kind)
            if isinstance(signalled, Signup):
                await self._bind_recorded_signup(session, request, signalled)
        elif report is not None and isinstance(report.fact, Signup):
            refusal = self._refusal(request, signalled)
            await binding.bind_signup(
                session,
                report.fact,
                tokens=self.tokens,
                now=request.now,
                signalled_to=None if refusal else request.referral_id,
            )

    def _report(self, request: ActRequest, signalled: Fact) -> Report | None:
        """Return what to record; None for what no door takes under an id that one has recorded."""
        is_refusing = (kind_of(signalled), signalled.event_id) in request.heard.refusing
        try:
            event = event_of(signalled, now=request.now, is_refusing=is_refusing)
        except ValidationError:
            return None
        reporter = Reporter(None, f"referral:{request.referral_id}")
        return event.to_report(self.hasher, self.networks, source=DEFAULT_SOURCE, reporter=reporter)

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
