"""Rule sets of fraud: drafted, run in the shadow, tested, published by a second person."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query

from api.http.authorisation import Caller, requires
from api.http.dependencies import Db, Now
from api.http.errors import Problem, invalid_field
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import Cursor, Limit, PageOut, decode_line_number, encode_cursor
from api.http.strict_json import StrictRoute
from api.v1.schemas.campaigns import NO_REASON, Reasoned
from api.v1.schemas.rule_sets import (
    VERSION_PATTERN,
    BacktestOut,
    RuleSetIn,
    RuleSetOut,
    WindowIn,
    invalid_draft,
)
from db.engine import Database, ReadSession
from domain.fraud.rule_set_drafts import CampaignRuleSets, DraftFault
from referrals.campaigns import views as campaign_views
from referrals.fraud import rule_set_views, rule_sets
from referrals.fraud.rule_sets import NewRuleSet, SwitchOutcome
from referrals.localisation.languages import LanguageTag
from referrals.reporting import backtests
from referrals.reporting.backtests import Comparison

router = APIRouter(prefix="/v1/rule-sets", tags=["fraud"], route_class=StrictRoute)
VersionPath = Annotated[str, Path(pattern=VERSION_PATTERN)]
CAN_READ: Final = Depends(requires("rules:write", "rules:publish", "reviews:decide"))
Writer = Annotated[Caller, Depends(requires("rules:write"))]
Publisher = Annotated[Caller, Depends(requires("rules:publish"))]
Tester = Annotated[Caller, Depends(requires("rules:write", "rules:publish"))]
UNKNOWN: Final = problem_responses("unknown_rule_set")

MAX_ASSESSMENTS: Final = 20_000
"""Bounds a backtest that a caller waits for: a few seconds."""
REFUSALS: Final = {
    SwitchOutcome.UNKNOWN: "unknown_rule_set",
    SwitchOutcome.NOT_ALLOWED: "invalid_transition",
    SwitchOutcome.REPORT_REQUIRED: "report_required",
    SwitchOutcome.SECOND_PERSON: "second_person_required",
}

DETAILS: Final = {
    SwitchOutcome.NOT_ALLOWED: "Check the rule set's status: a live one is in no shadow, one that"
    " was live is rolled back to, and one that never was is published."
}
"""Details of refusals that say more than their problem does."""


@router.post("", status_code=201, responses=problem_responses("unknown_rule_set", *BODY_PROBLEMS))
async def draft_rule_set(body: RuleSetIn, database: Db, writer: Writer) -> RuleSetOut:
    """Draft a new version of a rule set; it scores nothing yet, and its content never changes.

    Not idempotent: each call adds a version. 404 `unknown_rule_set` for `based_on`; 422 with the
    path of a weight, a threshold or a campaign that it may not have.
    """
    async with database.transaction() as session:
        live = (await rule_sets.active(session)).live.base.version
        for slug in body.campaigns:
            if await campaign_views.find_campaign(session, slug) is None:
                raise invalid_field(f"campaigns.{slug}", "Must be a campaign")
        asked = NewRuleSet(
            based_on=int(body.based_on or live),
            changes=body.to_changes(),
            campaigns=body.campaign_changes(),
            sample_percent=body.sample_percent,
        )
        try:
            version = await rule_sets.create(session, asked, writer.actor(body.reason))
        except DraftFault as fault:
            raise invalid_draft(fault) from fault
        if version is None:
            raise Problem("unknown_rule_set")
        return await _rule_set_out(session, version)


@router.get("", dependencies=[CAN_READ])
async def list_rule_sets(
    database: Db, limit: Limit = 50, cursor: Cursor = None
) -> PageOut[RuleSetOut]:
    """List rule sets, newest first. One is live; `1` is the one that the service brings."""
    await _store_first(database)
    before = decode_line_number(cursor)
    async with database.reading() as session:
        found = await rule_set_views.list_rule_sets(session, before=before, limit=limit + 1)
    items = [RuleSetOut.model_validate(view) for view in found[:limit]]
    next_cursor = encode_cursor(items[-1].version) if len(found) > limit else None
    return PageOut(items=items, next_cursor=next_cursor)


@router.get("/{version}", dependencies=[CAN_READ], responses=UNKNOWN)
async def show_rule_set(
    version: VersionPath,
    database: Db,
    language: Annotated[LanguageTag, Query(description="Language of the rules' `words`")] = (
        LanguageTag.ENGLISH
    ),
) -> RuleSetOut:
    """Return a rule set with its latest backtest. 404 `unknown_rule_set`."""
    await _store_first(database)
    async with database.reading() as session:
        view = await rule_set_views.find_rule_set(session, int(version), language=language)
    if view is None:
        raise Problem("unknown_rule_set")
    return RuleSetOut.model_validate(view)


@router.post(
    "/{version}/shadow", responses=problem_responses("unknown_rule_set", "invalid_transition")
)
async def start_shadow(version: VersionPath, database: Db, writer: Writer) -> RuleSetOut:
    """Score every snapshot by this version beside the live one, and decide nothing by it.

    There is one shadow: an earlier one ends, with its assessments kept. The same again changes
    nothing. 409 `invalid_transition` for the live version.
    """
    async with database.transaction() as session:
        outcome = await rule_sets.start_shadow(session, int(version), writer.actor(NO_REASON))
        return await _rule_set_out(session, int(version), outcome)


@router.delete("/{version}/shadow", responses=UNKNOWN)
async def end_shadow(version: VersionPath, database: Db, writer: Writer) -> RuleSetOut:
    """Score no more by this version; one that is in no shadow stays as it is."""
    async with database.transaction() as session:
        outcome = await rule_sets.end_shadow(session, int(version), writer.actor(NO_REASON))
        return await _rule_set_out(session, int(version), outcome)


@router.post("/{version}/backtest", responses=problem_responses("unknown_rule_set", *BODY_PROBLEMS))
async def run_backtest(
    version: VersionPath, body: WindowIn, database: Db, tester: Tester
) -> BacktestOut:
    """Score stored snapshots by this version and by the live one, and store the report.

    Of each referral that was assessed in [from, to) the latest snapshot counts. Decides nothing.
    422 for a time with more than 20,000 assessments; `referrals fraud-backtest` has no limit.
    """
    body.check()
    comparison = await _comparison(database, version, body)
    async with database.reading() as session:
        window = (body.since, body.until)
        counted = await backtests.count_assessments(session, *window, limit=MAX_ASSESSMENTS + 1)
        if counted > MAX_ASSESSMENTS:
            raise invalid_field("from", f"Must give at most {MAX_ASSESSMENTS} assessments")
        report = await backtests.replay(session, comparison)
    async with database.transaction() as session:
        await backtests.store(session, report, tester.actor(NO_REASON))
    return BacktestOut.model_validate(report)


@router.post(
    "/{version}/publish",
    responses=problem_responses(
        "unknown_rule_set",
        "second_person_required",
        "report_required",
        "invalid_transition",
        *BODY_PROBLEMS,
    ),
)
async def publish_rule_set(
    version: VersionPath,
    database: Db,
    publisher: Publisher,
    now: Now,
    body: Reasoned | None = None,
) -> RuleSetOut:
    """Make a version live: it scores from now on, what is held already with its next act.

    The same again changes nothing. 403 `second_person_required` for its author; 409
    `report_required` without a backtest against the version that is live now that replayed an
    assessment (an empty one will do as long as there is none), `invalid_transition` for a version
    that was live before: roll back to it.
    """
    actor = publisher.actor(body.reason if body else NO_REASON)
    async with database.transaction() as session:
        outcome = await rule_sets.publish(session, int(version), actor, at=now)
        return await _rule_set_out(session, int(version), outcome)


@router.post(
    "/{version}/rollback",
    responses=problem_responses("unknown_rule_set", "invalid_transition", *BODY_PROBLEMS),
)
async def roll_back(
    version: VersionPath, database: Db, publisher: Publisher, body: Reasoned | None = None
) -> RuleSetOut:
    """Make a version live again, at once and by one person.

    The same again changes nothing. 409 `invalid_transition` for a version that never was live.
    """
    actor = publisher.actor(body.reason if body else NO_REASON)
    async with database.transaction() as session:
        outcome = await rule_sets.roll_back(session, int(version), actor)
        return await _rule_set_out(session, int(version), outcome)


async def _comparison(database: Database, version: str, window: WindowIn) -> Comparison:
    async with database.transaction() as session:
        live = (await rule_sets.active(session)).live
        candidate: CampaignRuleSets | None = await rule_sets.load(session, int(version))
    if candidate is None:
        raise Problem("unknown_rule_set")
    return Comparison(candidate=candidate, baseline=live, since=window.since, until=window.until)


async def _store_first(database: Database) -> None:
    async with database.transaction() as session:
        await rule_sets.active(session)


async def _rule_set_out(
    session: ReadSession, version: int, outcome: SwitchOutcome = SwitchOutcome.CHANGED
) -> RuleSetOut:
    """Return the rule set, or raise the refusal, which rolls the caller's transaction back."""
    if outcome in REFUSALS:
        raise Problem(REFUSALS[outcome], DETAILS.get(outcome, ""))
    view = await rule_set_views.find_rule_set(session, version)
    if view is None:
        raise Problem("unknown_rule_set")
    return RuleSetOut.model_validate(view)
