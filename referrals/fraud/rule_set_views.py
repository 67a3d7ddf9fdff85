"""Views of rule sets, each with its status and its latest backtest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import RowMapping, text

from db.engine import ReadSession
from domain.fraud.rule import Severity
from domain.fraud.rule_table import RULES
from referrals.fraud.wording.rule_words import words_of
from referrals.localisation.languages import LanguageTag


class RuleSetStatus(StrEnum):
    """The status of a rule set."""

    DRAFT = "draft"
    SHADOW = "shadow"
    LIVE = "live"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWeight:
    """A rule of the set, in the order in which assessments show it."""

    rule: str
    weight: int
    severity: Severity
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetView:
    version: str
    status: RuleSetStatus
    based_on: str | None
    reason: str
    written_by: str
    written_at: datetime
    published_by: str | None
    published_at: datetime | None
    """The latest time at which it became live."""
    rules: Sequence[RuleWeight]
    weights: Mapping[str, int]
    thresholds: Mapping[str, int]
    sample_percent: int
    campaigns: Mapping[str, Any]
    backtest: Mapping[str, Any] | None
    """The latest report."""


# Rule sets from a version down, with the switch that made each live and the roles they have now.
_VIEWS: Final = text("""
    select rule_sets.*, published.switched_by as published_by,
           published.switched_at as published_at, tested.report as backtest,
           version = (select version from rule_set_switches where role = 'live'
                      order by id desc limit 1) as is_live,
           version = (select version from rule_set_switches where role = 'shadow'
                      order by id desc limit 1) as is_shadow
    from rule_sets
    left join lateral (
        select switched_by, switched_at from rule_set_switches as switches
        where switches.version = rule_sets.version and role = 'live' order by id desc limit 1
    ) as published on true
    left join lateral (
        select report from backtests where backtests.version = rule_sets.version
        order by run_at desc, id limit 1
    ) as tested on true
    where version between cast(:lowest as integer) and cast(:highest as integer)
    order by version desc limit :limit
""")
_HIGHEST: Final = 2**31 - 1


async def list_rule_sets(
    session: ReadSession, *, before: int | None, limit: int
) -> Sequence[RuleSetView]:
    """Return the latest rule sets, newest first, or those before a version."""
    highest = _HIGHEST if before is None else min(before - 1, _HIGHEST)
    values = {"lowest": 0, "highest": highest, "limit": limit}
    return [_view(row) for row in (await session.execute(_VIEWS, values)).mappings()]


async def find_rule_set(
    session: ReadSession, version: int, *, language: LanguageTag = LanguageTag.ENGLISH
) -> RuleSetView | None:
    values = {"lowest": version, "highest": version, "limit": 1}
    row = (await session.execute(_VIEWS, values)).mappings().one_or_none()
    return _view(row, language) if row is not None else None


def _view(row: RowMapping, language: LanguageTag = LanguageTag.ENGLISH) -> RuleSetView:
    weights = row["weights"]
    return RuleSetView(
        version=str(row["version"]),
        status=_status(row),
        based_on=None if row["based_on"] is None else str(row["based_on"]),
        reason=row["reason"],
        written_by=row["written_by"],
        written_at=row["written_at"],
        published_by=row["published_by"],
        published_at=row["published_at"],
        rules=[
            RuleWeight(
                rule=rule.name,
                weight=weights[rule.name],
                severity=rule.severity,
                words=words_of(rule, language),
            )
            for rule in RULES
            if rule.name in weights
        ],
        weights=weights,
        thresholds=row["thresholds"],
        sample_percent=row["sample_percent"],
        campaigns=row["campaigns"],
        backtest=row["backtest"],
    )


def _status(row: RowMapping) -> RuleSetStatus:
    if row["is_live"]:
        return RuleSetStatus.LIVE
    if row["is_shadow"]:
        return RuleSetStatus.SHADOW
    return RuleSetStatus.RETIRED if row["published_at"] else RuleSetStatus.DRAFT
