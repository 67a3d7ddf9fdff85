"""Arguments of the signals: the facts themselves as JSON objects, a signup with a standing."""

import json
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter
from temporalio import workflow

from activities.messages import Signature
from domain.intake.direct_signals import SIGNATURE_FIELD, canonical_json, with_free_texts_cut
from domain.intake.facts import Chargeback, Decision, Deposit, Fact, Signup, kind_of
from domain.lifecycle.referral import Standing
from workflows.referral.patches import CUT_PATCH

MAX_SIGNED_CHARACTERS: Final = 32_000
"""Length of the JSON beyond which a signature is not looked at."""
LONGEST_WAIT: Final = timedelta(days=3660)
"""Bound of the wait that a signalled standing may ask for; Temporal refuses endless timers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupSignal(Signup):
    """A signup; the courier, which has already bound it, adds where the referral stands now."""

    standing: Standing | None = None

    def as_signup(self) -> Signup:
        return Signup(**{field.name: getattr(self, field.name) for field in fields(Signup)})


_Read = TypeVar("_Read", SignupSignal, Deposit, Chargeback, Decision)
SIGNAL_SHAPES: Final[dict[type[Any], TypeAdapter[Any]]] = {
    shape: TypeAdapter(shape) for shape in (SignupSignal, Deposit, Chargeback, Decision)
}
"""Shapes of the JSON objects that signals have."""


def read_signal(shape: type[_Read], event: dict[str, Any]) -> _Read:
    """Read a signal's JSON; raise ValueError for what is not of the shape."""
    try:
        return _validate(shape, event)
    except ValueError:
        mended = _validate(shape, with_free_texts_cut(event))
        if workflow.patched(CUT_PATCH):
            return mended
        raise


def _validate(shape: type[_Read], event: dict[str, Any]) -> _Read:
    read: _Read = SIGNAL_SHAPES[shape].validate_json(json.dumps(event))
    return read


def signature_of(fact: Fact, event: dict[str, Any]) -> Signature | None:
    """Return the signature that a signal carries, for the act to check; only it knows the keys."""
    given = event.get(SIGNATURE_FIELD)
    canonical = canonical_json(event) if isinstance(given, str) else ""
    if not isinstance(given, str) or len(canonical) + len(given) > MAX_SIGNED_CHARACTERS:
        return None
    return Signature(
        kind=kind_of(fact), event_id=fact.event_id, canonical=canonical, signature=given
    )


def signup_signal(signup: Signup, standing: Standing) -> SignupSignal:
    """Return the signal for a signup that is bound."""
    values = {field.name: getattr(signup, field.name) for field in fields(Signup)}
    return SignupSignal(**values, standing=standing)
