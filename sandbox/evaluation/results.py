"""The results of the journeys by scenario, and the violations of the rules among them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from rich.table import Table

from sandbox.evaluation.play import JourneyResult
from sandbox.evaluation.scenarios import SCENARIOS, Scenario


@dataclass(frozen=True, slots=True)
class BoundReferral:
    """The referral that a player was bound to in the end, and whether its referrer was paid."""

    code: str
    is_paid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """The counts of one scenario, whose name is `path`.

    `wrong` were attributed to somebody who did not refer the person; `right` to the true referrer
    or, where there is none, to nobody.
    """

    path: str
    must_arrive: bool
    must_not_arrive: bool
    journeys: int
    attributed: int
    correct: int
    wrong: int
    unattributed: int
    right: int
    asked: int
    asked_in_doubt: int
    paid: int
    wrong_paid: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def results_by_scenario(
    journeys: Sequence[JourneyResult], bound: Mapping[str, BoundReferral]
) -> list[ScenarioResult]:
    return [
        _result(scenario, [each for each in journeys if each.scenario == scenario.name], bound)
        for scenario in SCENARIOS
    ]


def total(results: Sequence[ScenarioResult]) -> ScenarioResult:
    kinds = {"path", "must_arrive", "must_not_arrive"}
    counts = [field.name for field in fields(ScenarioResult) if field.name not in kinds]
    sums = {name: sum(getattr(result, name) for result in results) for name in counts}
    return ScenarioResult(path="all", must_arrive=False, must_not_arrive=False, **sums)


def violations(results: Iterable[ScenarioResult]) -> list[str]:
    """Return the broken rules: paid wrongly, lost though intact, bound too late, asked in doubt."""
    broken = []
    for result in results:
        if result.wrong_paid:
            broken.append(f"{result.path}: {result.wrong_paid} paid to the wrong referrer")
        if result.must_arrive and result.correct < result.journeys:
            missed = result.journeys - result.correct
            broken.append(f"{result.path}: {missed} intact tokens or codes did not arrive")
        if result.must_arrive and result.paid < result.correct:
            unpaid = result.correct - result.paid
            broken.append(f"{result.path}: {unpaid} arrived and were not paid")
        if result.must_not_arrive and result.attributed:
            broken.append(f"{result.path}: {result.attributed} were attributed all the same")
        if result.asked_in_doubt:
            asked = result.asked_in_doubt
            broken.append(f"{result.path}: {asked} asked though no code, or several, may be meant")
    return broken


def payments_outside_the_plan(
    journeys: Sequence[JourneyResult], bound: Mapping[str, BoundReferral]
) -> list[str]:
    """Return the payments for the other players of the journeys, who never deposit."""
    known = {each.player_id for each in journeys}
    return [
        f"paid for {player_id}, who never deposited"
        for player_id, found in sorted(bound.items())
        if found.is_paid and player_id not in known
    ]


def table(results: Sequence[ScenarioResult], *, title: str) -> Table:
    printed = Table("path", title=title)
    for heading in (
        *("journeys", "attributed", "correct", "wrong", "unattributed", "asked"),
        *("paid", "wrong paid", "right %"),
    ):
        printed.add_column(heading, justify="right")
    for result in (*results, total(results)):
        printed.add_row(_label(result), *_numbers(result), end_section=result is results[-1])
    return printed


def _result(
    scenario: Scenario, journeys: Sequence[JourneyResult], bound: Mapping[str, BoundReferral]
) -> ScenarioResult:
    pairs = [(each, found) for each in journeys if (found := bound.get(each.player_id))]
    wrong = [found for each, found in pairs if found.code != each.truth]
    return ScenarioResult(
        path=scenario.name,
        must_arrive=scenario.must_arrive,
        must_not_arrive=scenario.must_not_arrive,
        journeys=len(journeys),
        attributed=len(pairs),
        correct=len(pairs) - len(wrong),
        wrong=len(wrong),
        unattributed=len(journeys) - len(pairs),
        right=sum(_code(bound, each) == each.truth for each in journeys),
        asked=sum(each.was_asked for each in journeys),
        asked_in_doubt=sum(each.was_asked_in_doubt for each in journeys),
        paid=sum(found.is_paid for _, found in pairs),
        wrong_paid=sum(found.is_paid for found in wrong),
    )


def _code(bound: Mapping[str, BoundReferral], each: JourneyResult) -> str | None:
    found = bound.get(each.player_id)
    return found.code if found else None


def _label(result: ScenarioResult) -> str:
    return f"{result.path} *" if result.must_arrive else result.path


def _numbers(result: ScenarioResult) -> list[str]:
    counts = (result.journeys, result.attributed, result.correct, result.wrong)
    others = (result.unattributed, result.asked, result.paid, result.wrong_paid)
    share = 100 * result.right / result.journeys if result.journeys else 0.0
    return [*(str(number) for number in (*counts, *others)), f"{share:.1f}"]
