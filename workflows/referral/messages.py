"""What a referral's workflow can be told: the events themselves, as JSON objects."""

from dataclasses import dataclass, fields

from domain.intake.facts import Signup
from domain.lifecycle.referral import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupSignal(Signup):
    """A signup; the courier, which has bound it already, adds where the referral stands now."""

    standing: Standing | None = None

    def event(self) -> Signup:
        return Signup(**{field.name: getattr(self, field.name) for field in fields(Signup)})


def signup_signal(signup: Signup, standing: Standing) -> SignupSignal:
    """What the courier signals when it has bound a signup."""
    event = {field.name: getattr(signup, field.name) for field in fields(Signup)}
    return SignupSignal(**event, standing=standing)
