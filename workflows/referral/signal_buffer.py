"""State that signals leave in a workflow: a flag that wakes it, and facts not yet recorded."""

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

from temporalio import workflow

from activities.messages import SignalledFacts, Signature
from domain.intake.direct_signals import is_strictly_written
from domain.intake.facts import (
    STORED_EVENT_ID_PATTERN,
    Chargeback,
    Decision,
    Deposit,
    Fact,
    FactKind,
    Signup,
    kind_of,
)
from workflows.referral.messages import signature_of

MAX_BATCH_CHARACTERS: Final = 100_000
"""Texts of the facts that one act is handed: with every escape, a third of Temporal's limit."""
MAX_CAUSES: Final = 20
BATCH_PATCH: Final = "signalled facts are handed on in parts"


class WakeFlag:
    """A flag that signal handlers set; what woke the workflow is read from the recorded facts."""

    def __init__(self) -> None:
        self.is_set = False

    def set(self) -> None:
        self.is_set = True

    def clear(self) -> None:
        self.is_set = False

    async def wait(self, *, until: datetime, summary: str | None = None) -> bool:
        """Wait for the flag and clear it; return False when `until` came first.

        `summary` is what the Temporal UI shows of the timer.
        """
        # Checked first, because a wait whose time is up would not look at its condition.
        if not self.is_set:
            remaining = max(until - workflow.now(), timedelta(0))
            try:
                await workflow.wait_condition(
                    lambda: self.is_set, timeout=remaining, timeout_summary=summary
                )
            except TimeoutError:
                return False
        self.clear()
        return True


class Causes:
    """Ids of the facts that signals told of since the last act, for the log and the Temporal UI.

    Whoever reaches Temporal may send them, so they are bounded, and decide nothing.
    """

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def put(self, told: object) -> None:
        """Keep the id in a signal's argument, if it has one."""
        event_id = told.get("event_id") if isinstance(told, dict) else None
        if not isinstance(event_id, str) or len(self._ids) >= MAX_CAUSES:
            return
        # Not gated by a patch: what is put here is an argument of acts, which no replay compares.
        if STORED_EVENT_ID_PATTERN.fullmatch(event_id):
            self._ids[event_id] = None

    def take(self) -> tuple[str, ...]:
        """Return the ids, and forget them."""
        ids = tuple(self._ids)
        self._ids.clear()
        return ids


class UnrecordedFacts:
    """Facts that came with signals, each kept once until an act has recorded it."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str], Fact] = {}
        self._signatures: dict[tuple[str, str], Signature] = {}
        self._loose: dict[tuple[FactKind, str], None] = {}
        self._refusing: dict[tuple[FactKind, str], None] = {}
        self.is_in_parts = False
        """True if the newest snapshot was not everything."""

    def put(self, fact: Fact, event: dict[str, Any]) -> None:
        """Keep a fact, and the signature of the event that it was read from.

        A loosely written one is kept as well, for the act to refuse: a signal that was read once
        is read in every replay.
        """
        key = (kind_of(fact), fact.event_id)
        consent = event.get("consent") if isinstance(fact, Signup | Deposit) else None
        is_loose = not is_strictly_written(event) or not isinstance(consent, bool | None)
        signature = signature_of(fact, event)
        is_mended = key in self._loose and not is_loose
        if key not in self._facts or is_mended or (signature and key not in self._signatures):
            self._facts[key] = fact
            self._forget_marks(key)
            if is_loose:
                self._loose[key] = None
            if consent is False:
                self._refusing[key] = None
            if signature:
                self._signatures[key] = signature

    @property
    def is_empty(self) -> bool:
        return not self._facts

    def snapshot(self) -> SignalledFacts:
        """Return what the next act is to record: everything, or as much as it may be handed."""
        keys = self._batch()
        facts = [self._facts[key] for key in keys]
        return SignalledFacts(
            signups=tuple(f for f in facts if isinstance(f, Signup)),
            deposits=tuple(f for f in facts if isinstance(f, Deposit)),
            chargebacks=tuple(f for f in facts if isinstance(f, Chargeback)),
            decisions=tuple(f for f in facts if isinstance(f, Decision)),
            signatures=tuple(self._signatures[key] for key in keys if key in self._signatures),
            loose=tuple(key for key in self._loose if key in self._facts and key in keys),
            refusing=tuple(key for key in self._refusing if key in self._facts and key in keys),
        )

    def discard(self, recorded: SignalledFacts) -> None:
        """Discard what an act has recorded; facts signalled meanwhile stay."""
        for fact in (*recorded.facts, *recorded.decisions):
            key = (kind_of(fact), fact.event_id)
            self._facts.pop(key, None)
            self._signatures.pop(key, None)
            self._forget_marks(key)

    def _forget_marks(self, key: tuple[FactKind, str]) -> None:
        self._loose.pop(key, None)
        self._refusing.pop(key, None)

    def _batch(self) -> list[tuple[str, str]]:
        self.is_in_parts = False
        sizes = {key: self._size(key) for key in self._facts}
        if sum(sizes.values()) <= MAX_BATCH_CHARACTERS or not workflow.patched(BATCH_PATCH):
            return list(sizes)
        self.is_in_parts = True
        batch: list[tuple[str, str]] = []
        left = MAX_BATCH_CHARACTERS
        # Signups first: they name the referee, whose facts alone are recorded.
        for key in sorted(sizes, key=lambda key: key[0] != FactKind.SIGNUP):
            left -= sizes[key]
            if batch and left < 0:
                break
            batch.append(key)
        return batch

    def _size(self, key: tuple[str, str]) -> int:
        signature = self._signatures.get(key)
        signed = len(signature.canonical) + len(signature.signature) if signature else 0
        fact = self._facts[key]
        values = (getattr(fact, field.name) for field in fields(fact))
        # The names of fields, times and numbers count as a thousand characters.
        return 1000 + signed + sum(len(value) for value in values if isinstance(value, str))
