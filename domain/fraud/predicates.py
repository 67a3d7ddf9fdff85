"""Parts of which rules' predicates are made; each is None where its evidence is unknown."""

from domain.fraud.rule import Predicate
from domain.fraud.snapshot import Snapshot
from domain.fraud.thresholds import Thresholds


def at_most(value: int | None, bound: int) -> bool | None:
    return None if value is None else value <= bound


def is_fast(of: str) -> Predicate:
    def predicate(snapshot: Snapshot, limits: Thresholds) -> bool | None:
        counted = [each for each in snapshot.velocities if each.of == of]
        if not counted:
            return None
        return any(each.count > limits.velocity(of, each.window) for each in counted)

    return predicate


def withdraws_soon(seconds: int | None, snapshot: Snapshot, bound_s: int) -> bool | None:
    if seconds is None:
        return False if snapshot.behaviour.knows_withdrawals else None
    return seconds <= bound_s


def inverse(value: bool | None) -> bool | None:  # noqa: FBT001 - a predicate's three values
    return None if value is None else not value
