"""The results by kind of group, and the targets that they must reach."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.table import Table

from sandbox.fraud_evaluation.groups import Group
from sandbox.fraud_evaluation.outcomes import Outcome
from sandbox.fraud_evaluation.population import KINDS, Kind

SHOWN_REASONS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class KindResult:
    """The counts of one kind. `referrals` were assessed; `frauds` are those of them that are one.

    Stopped ones are held for a person, or rejected; `lost_minor` are the cents paid for frauds, of
    which `late_cases` are in a case, since a link was learned after the payment. Nobody looks at
    the frauds that were `paid_unattended`.
    """

    kind: str
    is_ring: bool
    has_hard_link: bool
    is_late: bool
    players: int
    referrals: int
    frauds: int
    frauds_stopped: int
    honest_stopped: int
    reviewed: int
    lost_minor: int
    late_cases: int
    paid_unattended: int
    reasons: dict[str, int]

    @property
    def recall(self) -> float:
        return share(self.frauds_stopped, self.frauds)

    @property
    def precision(self) -> float:
        return share(self.frauds_stopped, self.frauds_stopped + self.honest_stopped)

    @property
    def honest_stopped_share(self) -> float:
        return share(self.honest_stopped, self.referrals - self.frauds)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def results_by_kind(groups: Sequence[Group], outcomes: Mapping[str, Outcome]) -> list[KindResult]:
    return [
        _result(kind, [group for group in groups if group.kind == kind.name], outcomes)
        for kind in KINDS
    ]


def precision(results: Iterable[KindResult]) -> float:
    """Return the share of frauds among all referrals that were stopped."""
    counted = list(results)
    stopped = sum(result.frauds_stopped for result in counted)
    return share(stopped, stopped + sum(result.honest_stopped for result in counted))


def recall(results: Iterable[KindResult]) -> float:
    counted = list(results)
    return share(
        sum(result.frauds_stopped for result in counted), sum(result.frauds for result in counted)
    )


def table(results: Sequence[KindResult], *, title: str) -> Table:
    printed = Table("kind", title=title)
    for heading in (
        *("players", "referrals", "frauds", "stopped", "precision %", "recall %", "lost $"),
        *("late", "honest stopped", "%", "reviews", "reasons of the latest assessments"),
    ):
        printed.add_column(heading, justify="left" if "reasons" in heading else "right")
    last_ring = max(n for n, result in enumerate(results) if result.is_ring)
    for number, result in enumerate(results):
        printed.add_row(*_cells(result), end_section=number == last_ring)
    return printed


def _result(kind: Kind, groups: Sequence[Group], outcomes: Mapping[str, Outcome]) -> KindResult:
    referred = [player_id for group in groups for player_id in sorted(group.referred)]
    frauds = {player_id for group in groups for player_id in group.frauds}
    found = [outcomes[each] for each in referred if each in outcomes]
    found = [outcome for outcome in found if outcome.is_assessed]
    bad = [outcome for outcome in found if outcome.referee_id in frauds]
    honest = [outcome for outcome in found if outcome.referee_id not in frauds]
    return KindResult(
        kind=kind.name,
        is_ring=kind.is_ring,
        has_hard_link=bool(kind.has_hard_link),
        is_late=kind.is_late,
        players=sum(len(group.players) for group in groups),
        referrals=len(found),
        frauds=len(bad),
        frauds_stopped=sum(outcome.is_stopped for outcome in bad),
        honest_stopped=sum(outcome.is_stopped for outcome in honest),
        reviewed=sum(outcome.was_reviewed for outcome in found),
        lost_minor=sum(outcome.paid_minor for outcome in bad),
        late_cases=sum(outcome.has_late_case for outcome in bad if outcome.paid_minor),
        paid_unattended=sum(not outcome.has_late_case for outcome in bad if outcome.paid_minor),
        reasons=dict(Counter(reason for outcome in found for reason in outcome.reasons)),
    )


def _cells(result: KindResult) -> list[str]:
    has_frauds, has_honest = result.frauds > 0, result.referrals > result.frauds
    common = Counter(result.reasons).most_common(SHOWN_REASONS)
    return [
        result.kind,
        f"{result.players:,}",
        f"{result.referrals:,}",
        f"{result.frauds:,}" if has_frauds else "",
        f"{result.frauds_stopped:,}" if has_frauds else "",
        f"{100 * result.precision:.1f}" if has_frauds else "",
        f"{100 * result.recall:.1f}" if has_frauds else "",
        f"{result.lost_minor / 100:,.0f}" if has_frauds else "",
        f"{result.late_cases:,}" if result.late_cases else "",
        f"{result.honest_stopped:,}" if has_honest else "",
        f"{100 * result.honest_stopped_share:.1f}" if has_honest else "",
        f"{result.reviewed:,}",
        ", ".join(f"{name} {number:,}" for name, number in common),
    ]
