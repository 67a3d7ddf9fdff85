"""What came of the journeys, path by path, and what of it must not be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from rich.table import Table

from sandbox.evaluation.paths import SCENARIOS, Path
from sandbox.evaluation.play import Told


@dataclass(frozen=True, slots=True)
class Bound:
    """The referral that a player was bound to in the end, and whether its referrer was paid."""

    code: str
    is_paid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One path; `wrong` was attributed to somebody other than who truthfully brought the person.

    `right` counts those attributed to the truth and, where nobody brought them, to nobody.
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

    @property
    def plain(self) -> dict[str, Any]:
        return asdict(self)


def results_by_scenario(told: Sequence[Told], bound: Mapping[str, Bound]) -> list[Figure]:
    return [
        _figure(path, [one for one in told if one.path == path.name], bound) for path in SCENARIOS
    ]


def total(figures: Sequence[Figure]) -> Figure:
    kinds = {"path", "must_arrive", "must_not_arrive"}
    counts = [field.name for field in fields(Figure) if field.name not in kinds]
    sums = {name: sum(getattr(figure, name) for figure in figures) for name in counts}
    return Figure(path="all", must_arrive=False, must_not_arrive=False, **sums)


def complaints(figures: Iterable[Figure]) -> list[str]:
    """What must not be: paid wrongly, lost though intact, bound though too late, asked in doubt."""
    found = []
    for figure in figures:
        if figure.wrong_paid:
            found.append(f"{figure.path}: {figure.wrong_paid} paid to the wrong referrer")
        if figure.must_arrive and figure.correct < figure.journeys:
            missed = figure.journeys - figure.correct
            found.append(f"{figure.path}: {missed} intact tokens or codes did not arrive")
        if figure.must_arrive and figure.paid < figure.correct:
            unpaid = figure.correct - figure.paid
            found.append(f"{figure.path}: {unpaid} arrived and were not paid")
        if figure.must_not_arrive and figure.attributed:
            found.append(f"{figure.path}: {figure.attributed} were attributed all the same")
        if figure.asked_in_doubt:
            asked = figure.asked_in_doubt
            found.append(f"{figure.path}: {asked} asked though no code, or several, may be meant")
    return found


def payments_outside_the_plan(told: Sequence[Told], bound: Mapping[str, Bound]) -> list[str]:
    """Other players of a story open accounts and deposit nothing; for them nobody is paid."""
    known = {one.player_id for one in told}
    return [
        f"paid for {player_id}, who never deposited"
        for player_id, found in sorted(bound.items())
        if found.is_paid and player_id not in known
    ]


def table(figures: Sequence[Figure], *, title: str) -> Table:
    drawn = Table("path", title=title)
    for heading in (
        *("journeys", "attributed", "correct", "wrong", "unattributed", "asked"),
        *("paid", "wrong paid", "right %"),
    ):
        drawn.add_column(heading, justify="right")
    for figure in (*figures, total(figures)):
        drawn.add_row(_named(figure), *_numbers(figure), end_section=figure is figures[-1])
    return drawn


def _figure(path: Path, told: Sequence[Told], bound: Mapping[str, Bound]) -> Figure:
    pairs = [(one, found) for one in told if (found := bound.get(one.player_id))]
    wrong = [found for one, found in pairs if found.code != one.truth]
    return Figure(
        path=path.name,
        must_arrive=path.must_arrive,
        must_not_arrive=path.must_not_arrive,
        journeys=len(told),
        attributed=len(pairs),
        correct=len(pairs) - len(wrong),
        wrong=len(wrong),
        unattributed=len(told) - len(pairs),
        right=sum(_code(bound, one) == one.truth for one in told),
        asked=sum(one.asked for one in told),
        asked_in_doubt=sum(one.asked_in_doubt for one in told),
        paid=sum(found.is_paid for _, found in pairs),
        wrong_paid=sum(found.is_paid for found in wrong),
    )


def _code(bound: Mapping[str, Bound], one: Told) -> str | None:
    found = bound.get(one.player_id)
    return found.code if found else None


def _named(figure: Figure) -> str:
    return f"{figure.path} *" if figure.must_arrive else figure.path


def _numbers(figure: Figure) -> list[str]:
    counts = (figure.journeys, figure.attributed, figure.correct, figure.wrong)
    others = (figure.unattributed, figure.asked, figure.paid, figure.wrong_paid)
    share = 100 * figure.right / figure.journeys if figure.journeys else 0.0
    return [*(str(number) for number in (*counts, *others)), f"{share:.1f}"]
