"""The page that explains what one referral would get by a version of its campaign, and why."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from api.console.access import Visitor, may
from api.console.formats import show_money
from api.console.offers.words import CONDITIONS, amount_in_words, limit_in_words
from api.console.pages import PageRoute, render
from api.console.tables import Column, Kind, Row, Table, typed
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem, invalid_field
from api.v1.schemas.fields import SLUG_PATTERN
from domain.campaigns.amounts.amount import Flat
from domain.campaigns.amounts.reading import parse_amount
from domain.campaigns.written import read_money
from domain.money import Money
from referrals.access.console.roles import Permission
from referrals.campaigns.limits import Allowance
from referrals.reporting.explanations import Explanation, UnknownVersionError, explain

router = APIRouter(prefix="/console/campaigns", include_in_schema=False, route_class=PageRoute)
Reader = Annotated[Visitor, Depends(may(Permission.SEE_CAMPAIGNS))]
MAX_VERSION: Final = 2**31 - 1
MAX_VERSION_DIGITS: Final = 10
CONDITION_COLUMNS: Final = (Column("Condition"), Column("Value"), Column("Holds", Kind.BADGE))
REWARD_COLUMNS: Final = (
    Column("To", Kind.WORD),
    Column("Kind", Kind.WORD),
    Column("Amount", Kind.MONEY),
    Column("Because"),
)
LIMIT_COLUMNS: Final = (
    Column("Limit"),
    Column("Rewards used", Kind.NUMBER),
    Column("Amount used", Kind.MONEY),
)


@router.get("/{slug}/explain")
async def show_explanation(
    request: Request,
    slug: Annotated[str, Path(pattern=SLUG_PATTERN)],
    database: Db,
    config: Config,
    now: Now,
    _: Reader,
) -> Response:
    """Explain a referral, as POST /v1/campaigns/{slug}/explain does; nothing is written."""
    asked, version = typed(request, "referral") or "", typed(request, "version")
    async with database.snapshot() as session:
        try:
            found = await explain(
                session,
                slug,
                _referral_id(asked),
                version=version_of(version),
                at=now,
                tax_year_start=config.tax_year,
            )
        except UnknownVersionError as fault:
            raise invalid_field("version", "Write a version of this campaign") from fault
    if found is None:
        raise Problem("unknown_referral", "This campaign has no such referral.")
    return render(
        request,
        "explanation.html",
        title="Why, and what would be paid",
        slug=slug,
        referral_id=asked,
        found=found,
        conditions=_conditions(found),
        rewards=_rewards(found),
        limits=_limits(found.limits),
    )


def _referral_id(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError as fault:
        raise invalid_field("referral", "Paste the whole id of a referral") from fault


def version_of(written: str | None) -> int | None:
    """Return the number of a version, None without one; 422 for anything else."""
    if written is None:
        return None
    is_number = written.isascii() and written.isdigit() and len(written) <= MAX_VERSION_DIGITS
    if not is_number or not 1 <= int(written) <= MAX_VERSION:
        raise invalid_field("version", "Write the number of a version")
    return int(written)


def _conditions(found: Explanation) -> Table:
    return Table(
        name="conditions",
        columns=CONDITION_COLUMNS,
        rows=[
            Row(
                (
                    CONDITIONS.leaf(one.leaf),
                    CONDITIONS.value(one.judged.field, one.judged.value),
                    "yes" if one.judged.holds else "no",
                )
            )
            for one in found.conditions
        ],
        empty="There is no condition, or no deposit that it was judged by.",
    )


def _rewards(found: Explanation) -> Table:
    return Table(
        name="rewards",
        columns=REWARD_COLUMNS,
        rows=[
            Row((one.to, one.kind, one.amount, _because(one.computation))) for one in found.rewards
        ],
        empty="Nothing: no deposit qualifies.",
    )


def _because(computation: Mapping[str, Any]) -> str:
    """Return the record of a computation in words: the rule, and what it was applied to."""
    rule = parse_amount(computation["amount"])
    base, place = computation["base"], computation["jurisdiction"]
    is_flat = isinstance(rule, Flat)
    words = amount_in_words(rule, base="the qualifying deposit")
    steps = ["a flat amount" if is_flat else str(words)]
    if base is not None:
        steps.append(f"a deposit of {show_money(read_money(base, 'base'))}")
        steps.append(f"friend {computation['count']}")
    if place is not None:
        steps.append(f"signup in {place}")
    if computation["limit"] is not None:
        steps.append(f"kept to the {computation['limit']}")
    if computation["rate"] is not None:
        known = computation["conversion"]
        steps.append(
            f"converted at {computation['rate']}, {known['source']} of {known['as_of'][:10]}"
        )
    return "; ".join(steps)


def _limits(limits: Sequence[Allowance]) -> Table:
    return Table(
        name="limits",
        columns=LIMIT_COLUMNS,
        rows=[
            Row(
                (
                    limit_in_words(one.limit),
                    one.used.rewards,
                    Money(one.used.minor, one.limit.amount.currency) if one.limit.amount else None,
                )
            )
            for one in limits
        ],
        empty="The campaign has no limits.",
    )
