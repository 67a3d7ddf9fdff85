"""Facts that services signal directly: which of them may be recorded, and what says so."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import structlog
from temporalio import activity

from activities.messages import Signature
from domain.intake.direct_signals import DirectSignals, is_signed
from domain.intake.facts import Chargeback, Deposit, Fact, FactKind, kind_of
from domain.intake.sources import SEPARATOR
from domain.money import Money
from referrals.intake.fields import CURRENCIES

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """The mode of direct signals, and the keys of the services that sign them."""

    mode: DirectSignals = DirectSignals.OPEN
    keys: tuple[str, ...] = field(default=(), repr=False)

    def refusal(self, fact: Fact, signatures: Iterable[Signature]) -> str | None:
        """Return why a fact counts only if another door has recorded it; None if it counts."""
        if self.mode is DirectSignals.OFF:
            return "off"
        if SEPARATOR in fact.event_id:
            return "source"
        if not all(map(_is_receivable, _amounts_of(fact))):
            return "amount"
        if self.mode is DirectSignals.OPEN or self._is_signed(fact, signatures):
            return None
        return "signature"

    def _is_signed(self, fact: Fact, signatures: Iterable[Signature]) -> bool:
        key = (kind_of(fact), fact.event_id)
        return any(
            is_signed(given.canonical, given.signature, self.keys)
            for given in signatures
            if (given.kind, given.event_id) == key
        )


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
