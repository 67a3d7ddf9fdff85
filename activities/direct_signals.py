"""Facts that services signal directly: which of them may be recorded, and their recording."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import structlog
from pydantic import TypeAdapter, ValidationError
from temporalio import activity

from activities.messages import ActRequest, SignalledFacts, Signature
from db.engine import Session
from db.reporters import Reporter
from domain.intake.direct_signals import DirectSignals, is_signed
from domain.intake.facts import (
    CLOCK_SKEW,
    Chargeback,
    Deposit,
    Fact,
    FactKind,
    Signup,
    kind_of,
)
from domain.intake.sources import SEPARATOR
from domain.money import Money
from domain.privacy import Hasher
from referrals.attribution import binding
from referrals.attribution.tokens import Tokens
from referrals.intake import facts
from referrals.intake.canonical import body_of
from referrals.intake.facts import RecordOutcome
from referrals.intake.fields import CURRENCIES, TOO_EARLY
from referrals.intake.origins import Networks, matching_with_origin
from referrals.lifecycle import stages

_READERS: Final[Mapping[FactKind, TypeAdapter[Any]]] = {
    FactKind.SIGNUP: TypeAdapter(Signup),
    FactKind.DEPOSIT: TypeAdapter(Deposit),
    FactKind.CHARGEBACK: TypeAdapter(Chargeback),
}
"""Shapes of the facts that may come by a signal."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """The mode of direct signals, and the keys of the services that sign them."""

    mode: DirectSignals = DirectSignals.OPEN
    keys: tuple[str, ...] = field(default=(), repr=False)

    def refusal(self, fact: Fact, signatures: Iterable[Signature], *, now: datetime) -> str | None:
        """Return why a fact counts only if another door has recorded it; None if it counts.

        `now` is the act's clock, ahead of which a fact may be as little as at the other doors.
        """
        reasons = (
            ("off", self.mode is DirectSignals.OFF),
            ("source", SEPARATOR in fact.event_id),
            (TOO_EARLY, fact.occurred_at > now + CLOCK_SKEW),
            ("amount", not all(map(_is_receivable, _amounts_of(fact)))),
            ("currency", isinstance(fact, Signup) and fact.currency not in CURRENCIES),
            (
                "signature",
                self.mode is DirectSignals.SIGNED and not self._is_signed(fact, signatures),
            ),
        )
        return next((reason for reason, applies in reasons if applies), None)

    def _is_signed(self, fact: Fact, signatures: Iterable[Signature]) -> bool:
        key = (kind_of(fact), fact.event_id)
        return any(
            is_signed(given.canonical, given.signature, self.keys) and _says(given.canonical, fact)
            for given in signatures
            if (given.kind, given.event_id) == key
        )


def _says(canonical: str, fact: Fact) -> bool:
    """Return whether the signed JSON is this fact: who schedules acts may hand over another."""
    try:
        read = _READERS[kind_of(fact)].validate_json(canonical)
    except ValidationError:
        return False
    return bool(read == fact)


def _amounts_of(fact: Fact) -> Iterator[Money]:
    if isinstance(fact, Deposit | Chargeback) and fact.amount is not None:
        yield fact.amount


def _is_receivable(amount: Money) -> bool:
    """Return whether the other doors would take an amount, too."""
    return amount.minor > 0 and amount.currency in CURRENCIES


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
        if (kind_of(fact), fact.event_id) in request.heard.loose:
            return "shape"
        return self.policy.refusal(fact, request.heard.signatures, now=request.now)

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
        said = body_of(signalled)
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
            refusal = self._refusal(request, signalled)
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
