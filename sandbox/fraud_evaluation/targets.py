"""Targets of the fraud rules: what must be caught, and who must not be held."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.fraud_evaluation.results import KindResult, recall, share

Results = Sequence[KindResult]


@dataclass(frozen=True, slots=True)
class Target:
    sentence: str
    measure: Callable[[Results], float]
    is_met: Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Measured:
    sentence: str
    measured: float
    is_met: bool


def _linked_recall(results: Results) -> float:
    return recall(each for each in results if each.has_hard_link and not each.is_late)


def _unlinked_recall(results: Results) -> float:
    return recall(each for each in results if each.is_ring and not each.has_hard_link)


def _stopped_share(kind: str) -> Callable[[Results], float]:
    def measure(results: Results) -> float:
        return next(each.honest_stopped_share for each in results if each.kind == kind)

    return measure


def _unattended_share(results: Results) -> float:
    """Return the share of frauds of hard links that were paid, and that no person looks at."""
    linked = [each for each in results if each.has_hard_link]
    return share(sum(each.paid_unattended for each in linked), sum(each.frauds for each in linked))


TARGETS: Final = (
    Target(
        "of the frauds of rings with a hard link are stopped: at least 95 %",
        _linked_recall,
        lambda part: part >= 0.95,
    ),
    Target(
        "of the frauds of rings without one are stopped: at least 70 %",
        _unlinked_recall,
        lambda part: part >= 0.70,
    ),
    Target(
        "of the frauds of rings with a hard link are paid, and in no case: none",
        _unattended_share,
        lambda part: part == 0,
    ),
    Target(
        "of the honest members of families are stopped: less than 2 %",
        _stopped_share("family"),
        lambda part: part < 0.02,
    ),
    Target(
        "of the streamer's referees are stopped: less than 0.5 %",
        _stopped_share("streamer"),
        lambda part: part < 0.005,
    ),
)


def measure(results: Results) -> list[Measured]:
    return [
        Measured(target.sentence, measured := target.measure(results), target.is_met(measured))
        for target in TARGETS
    ]
