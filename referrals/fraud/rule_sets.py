"""Rule sets: immutable versions, of which one is live and one may run in its shadow."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, Final

import structlog
from sqlalchemy import exists, func, insert, select, text

from db.engine import ReadSession, Session
from db.locks import lock_key
from db.tables import AssessmentRow, BacktestRow, RuleSetRow, RuleSetSwitch
from domain.fraud.rule_set_drafts import CampaignRuleSets, Changes, draft
from domain.fraud.rule_sets import BASE, RuleSet
from domain.fraud.thresholds import Thresholds
from referrals.access import audit
from referrals.access.approvals import Approvable, approve
from referrals.access.audit import Actor

_log = structlog.get_logger()

FIRST: Final = int(BASE.version)
"""Version of the rule set that the service brings, stored when one is first needed."""
_LOCK: Final = "rule-sets"
_FIRST_REASON: Final = "the rule set that the service brings"
_SERVICE: Final = "service"
_LIVE: Final = "live"
_SHADOW: Final = "shadow"

# The latest switch of each role, with the rule set that it names.
ACTIVE: Final = """
    select latest.role, rule_sets.*
    from unnest(array['live', 'shadow']) as roles (name)
    cross join lateral (
        select role, version from rule_set_switches where role = roles.name
        order by id desc limit 1
    ) as latest
    join rule_sets using (version)
"""
_ACTIVE: Final = text(ACTIVE)


class SwitchOutcome(StrEnum):
    """The outcome of a step of a rule set."""

    CHANGED = "changed"
    SAME = "same"
    UNKNOWN = "unknown"
    NOT_ALLOWED = "not_allowed"
    REPORT_REQUIRED = "report_required"
    SECOND_PERSON = "second_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRuleSets:
    """The live rule set, and the one in its shadow."""

    live: CampaignRuleSets
    shadow: CampaignRuleSets | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRuleSet:
    """A draft as it is asked for: changes of the version that it is based on."""

    based_on: int
    changes: Changes
    campaigns: Mapping[str, Changes]
    sample_percent: int | None


async def active(session: Session) -> ActiveRuleSets:
    """Return the rule sets that score now; the first time, store the one the service brings."""
    found = await _find_active(session)
    if _LIVE not in found:
        await lock_key(session, _LOCK)
        found = await _find_active(session) or await _store_first(session)
    return ActiveRuleSets(live=found[_LIVE], shadow=found.get(_SHADOW))


def active_from(rows: Iterable[Mapping[str, Any]]) -> ActiveRuleSets | None:
    """Return the rule sets of rows of ACTIVE, or None where none was stored yet."""
    found = _active_by_role(SimpleNamespace(**row) for row in rows)
    live = found.get(_LIVE)
    return None if live is None else ActiveRuleSets(live=live, shadow=found.get(_SHADOW))


async def load(session: ReadSession, version: int) -> CampaignRuleSets | None:
    """Return a version, or None; ValueError for one with a rule that this release lacks."""
    row = await session.get(RuleSetRow, version)
    return None if row is None else _rule_sets(row)


async def create(session: Session, asked: NewRuleSet, actor: Actor) -> int | None:
    """Store a draft and return its version; None when what it is based on is unknown.

    DraftFault for the first change that a rule set may not have.
    """
    await active(session)
    await lock_key(session, _LOCK)
    based_on = await load(session, asked.based_on)
    if based_on is None:
        return None
    latest = await session.scalar(select(func.max(RuleSetRow.version))) or 0
    drafted = draft(
        based_on,
        asked.changes,
        campaigns=asked.campaigns,
        sample_percent=asked.sample_percent,
        version=str(latest + 1),
    )
    await _store(session, drafted, based_on=asked.based_on, by=actor.name, reason=actor.reason)
    await _audit(session, actor, latest + 1, "create", based_on=asked.based_on)
    return latest + 1


async def start_shadow(session: Session, version: int, actor: Actor) -> SwitchOutcome:
    """Score every snapshot by this version as well, in place of an earlier shadow."""
    now = await _lock_active(session)
    if await session.get(RuleSetRow, version) is None:
        return SwitchOutcome.UNKNOWN
    if version == now.live:
        return SwitchOutcome.NOT_ALLOWED
    if version == now.shadow:
        return SwitchOutcome.SAME
    await _switch(session, _SHADOW, version, actor)
    await _audit(session, actor, version, "shadow")
    return SwitchOutcome.CHANGED


async def end_shadow(session: Session, version: int, actor: Actor) -> SwitchOutcome:
    """Score no more by this version; its shadow assessments stay."""
    now = await _lock_active(session)
    if await session.get(RuleSetRow, version) is None:
        return SwitchOutcome.UNKNOWN
    if version != now.shadow:
        return SwitchOutcome.SAME
    await _switch(session, _SHADOW, None, actor)
    await _audit(session, actor, version, "end_shadow")
    return SwitchOutcome.CHANGED


async def publish(session: Session, version: int, actor: Actor, *, at: datetime) -> SwitchOutcome:
    """Make a version live, by another person than its author and after a backtest.

    The backtest must have compared it with the version that is live now, on assessments: one that
    replayed none counts only while there are none.
    """
    now = await _lock_active(session)
    row = await session.get(RuleSetRow, version)
    if row is None:
        return SwitchOutcome.UNKNOWN
    if version == now.live:
        return SwitchOutcome.SAME
    if await _was_live(session, version):
        return SwitchOutcome.NOT_ALLOWED
    asked = Approvable(subject=f"rule-set:{version}", action="publish", content=str(version))
    if not await approve(session, asked, actor, proposed_by=row.written_by, at=at):
        return SwitchOutcome.SECOND_PERSON
    if not await _has_report(session, version, baseline=now.live):
        return SwitchOutcome.REPORT_REQUIRED
    return await _make_live(session, version, now, actor, action="publish")


async def roll_back(session: Session, version: int, actor: Actor) -> SwitchOutcome:
    """Make a version live again that was live before; one person may do so."""
    now = await _lock_active(session)
    if await session.get(RuleSetRow, version) is None:
        return SwitchOutcome.UNKNOWN
    if version == now.live:
        return SwitchOutcome.SAME
    if not await _was_live(session, version):
        return SwitchOutcome.NOT_ALLOWED
    return await _make_live(session, version, now, actor, action="rollback")


@dataclass(frozen=True, slots=True)
class _Active:
    live: int
    shadow: int | None


async def _lock_active(session: Session) -> _Active:
    """Lock the switches until the transaction ends, and return the active versions."""
    await active(session)
    await lock_key(session, _LOCK)
    versions = {row.role: row.version for row in await session.execute(_ACTIVE)}
    return _Active(versions[_LIVE], versions.get(_SHADOW))


async def _make_live(
    session: Session, version: int, before: _Active, actor: Actor, *, action: str
) -> SwitchOutcome:
    await _switch(session, _LIVE, version, actor)
    if version == before.shadow:
        await _switch(session, _SHADOW, None, actor)
    await _audit(session, actor, version, action, before=before.live)
    return SwitchOutcome.CHANGED


async def _switch(session: Session, role: str, version: int | None, actor: Actor) -> None:
    values = {"role": role, "version": version, "switched_by": actor.name}
    await session.execute(insert(RuleSetSwitch).values(values))


async def _was_live(session: ReadSession, version: int) -> bool:
    query = select(RuleSetSwitch.id).where(
        RuleSetSwitch.version == version, RuleSetSwitch.role == _LIVE
    )
    return await session.scalar(query.limit(1)) is not None


async def _has_report(session: ReadSession, version: int, *, baseline: int) -> bool:
    query = select(BacktestRow.id).where(
        BacktestRow.version == version,
        BacktestRow.baseline == baseline,
        (BacktestRow.report["assessed"].as_integer() > 0) | ~exists(select(AssessmentRow.id)),
    )
    return await session.scalar(query.limit(1)) is not None


async def _find_active(session: ReadSession) -> dict[str, CampaignRuleSets]:
    return _active_by_role(await session.execute(_ACTIVE))


def _active_by_role(rows: Iterable[Any]) -> dict[str, CampaignRuleSets]:
    """Return the active sets by role, without a shadow that this release cannot read.

    A later release may have started one with rules of its own: what decides nothing must not stop
    what does. A live set that cannot be read raises, and a process of that release scores.
    """
    found: dict[str, CampaignRuleSets] = {}
    for row in rows:
        try:
            found[row.role] = _rule_sets(row)
        except (TypeError, ValueError) as fault:
            if row.role != _SHADOW:
                raise
            _log.warning("shadow_unreadable", rule_set=row.version, fault=str(fault))
    return found


async def _store_first(session: Session) -> dict[str, CampaignRuleSets]:
    """Store the rule set that the service brings, and make it live."""
    actor = Actor(name=_SERVICE, request_id=None, reason=_FIRST_REASON)
    first = CampaignRuleSets(base=BASE)
    await _store(session, first, based_on=None, by=actor.name, reason=actor.reason)
    await _switch(session, _LIVE, FIRST, actor)
    return {_LIVE: first}


async def _store(
    session: Session, sets: CampaignRuleSets, *, based_on: int | None, by: str, reason: str
) -> None:
    values = {
        "version": int(sets.base.version),
        "based_on": based_on,
        "weights": dict(sets.base.weights),
        "thresholds": asdict(sets.base.thresholds),
        "sample_percent": sets.base.sample_percent,
        "campaigns": {slug: asdict(changes) for slug, changes in sets.campaigns.items()},
        "reason": reason,
        "written_by": by,
    }
    await session.execute(insert(RuleSetRow).values(values))


def _rule_sets(row: Any) -> CampaignRuleSets:  # noqa: ANN401 - a row of the table, or of a join
    base = RuleSet(
        version=str(row.version),
        weights=row.weights,
        thresholds=Thresholds.from_stored(row.thresholds),
        sample_percent=row.sample_percent,
    )
    campaigns = {slug: Changes(**changes) for slug, changes in row.campaigns.items()}
    return CampaignRuleSets(base=base, campaigns=campaigns)


async def _audit(
    session: Session,
    actor: Actor,
    version: int,
    action: str,
    **details: Any,  # noqa: ANN401 - any JSON values
) -> None:
    await audit.write(
        session,
        actor,
        action=f"rule_set.{action}",
        subject=f"rule-set:{version}",
        details={"version": version, **details},
    )
