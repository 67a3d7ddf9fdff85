"""Arguments of the signals: the facts themselves as JSON objects, a signup with a standing."""

from dataclasses import dataclass, fields

from domain.intake.facts import Signup
from domain.lifecycle.referral import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupSignal(Signup):
    """A signup; the courier, which has already bound it, adds where the referral stands now."""

    standing: Standing | None = None

    def as_signup(self) -> Signup:
        return Signup(**{field.name: getattr(self, field.name) for field in fields(Signup)})


def signup_signal(signup: Signup, standing: Standing) -> SignupSignal:
    """Return the signal for a signup that is bound."""
    values = {field.name: getattr(signup, field.name) for field in fields(Signup)}
    return SignupSignal(**values, standing=standing)
