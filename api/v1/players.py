"""A player's own view: invitations, balance, statement and spending."""

from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path

from api.http.authorisation import Caller, requires
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem, invalid_field
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import (
    Cursor,
    Limit,
    PageOut,
    PageQuery,
    decode_line_number,
    encode_cursor,
    encode_position,
)
from api.http.strict_json import StrictRoute
from api.v1.schemas.fields import ID_REGEX
from api.v1.schemas.players import (
    PLAYER_FACING_REASONS,
    BalanceOut,
    InvitedOut,
    LineOut,
    PlayerFacingReason,
    SpendIn,
    UnspendIn,
)
from domain.campaigns.rules import RewardType
from domain.ledger.movements import Book
from domain.lifecycle.referral import Stage
from domain.money import RewardKind
from domain.rewards.holds import HoldReason
from referrals.ledger import balances, spending
from referrals.ledger.spending import SpendOutcome, UnspendOutcome
from referrals.reporting import referral_views
from referrals.reporting.referral_views import ReferralFilter, ReferralView

router = APIRouter(prefix="/v1/players", tags=["players"], route_class=StrictRoute)
PlayerId = Annotated[str, Path(pattern=ID_REGEX)]
Spender = Annotated[Caller, Depends(requires("spend:write"))]

REFUSALS: Final = {
    SpendOutcome.INSUFFICIENT: "insufficient_balance",
    SpendOutcome.CONFLICT: "reference_conflict",
}
UNSPEND_REFUSALS: Final = {
    UnspendOutcome.UNKNOWN_SPEND: "unknown_spend",
    UnspendOutcome.EXCEEDS_SPEND: "exceeds_spend",
}


class StatementAccount(StrEnum):
    """A player's accounts that have a statement."""

    AVAILABLE = "available"
    HELD = "held"
    OWED = "owed"


@router.get(
    "/{player_id}/invited", dependencies=[Depends(requires("referrals:read", "players:read"))]
)
async def list_invited(player_id: PlayerId, part: PageQuery, database: Db) -> PageOut[InvitedOut]:
    """List a referrer's invitations and their progress, newest first, without referees' data."""
    async with database.reading() as session:
        page = await referral_views.list_referrals(
            session, ReferralFilter(referrer_id=player_id), part
        )
    items = [invited_out(view) for view in page.items]
    return PageOut(items=items, next_cursor=encode_position(page.next_position))


@router.get(
    "/{player_id}/balance", dependencies=[Depends(requires("rewards:read", "players:read"))]
)
async def show_balance(player_id: PlayerId, database: Db) -> BalanceOut:
    """Return a player's available, held and owed amounts per currency, in minor units.

    Where the sportsbook's wallet holds the balance, `available` is what was posted there.

    A player that the service does not know has empty balances.
    """
    async with database.reading() as session:
        return BalanceOut.model_validate(await balances.load_player_balance(session, player_id))


@router.post(
    "/{player_id}/spend",
    responses=problem_responses(*REFUSALS.values(), "external_wallet", *BODY_PROBLEMS),
)
async def spend_balance(  # noqa: PLR0917 - FastAPI passes each by its name
    player_id: PlayerId,
    body: SpendIn,
    database: Db,
    settings: Config,
    now: Now,
    spender: Spender,
) -> BalanceOut:
    """Debit the available balance and return what is left, in minor units.

    Idempotent by `reference`: the same amount again changes nothing, another amount is 409
    `reference_conflict`. 409 `insufficient_balance` when the balance does not cover the amount;
    409 `external_wallet` where the balance is held, and spent, in the sportsbook's wallet.
    """
    if settings.has_wallet:
        raise Problem("external_wallet")
    async with database.transaction() as session:
        outcome = await spending.spend(
            session,
            player_id=player_id,
            amount=body.amount.to_money(),
            reference=body.reference,
            at=now,
            by=spender.reporter,
        )
        if outcome in REFUSALS:
            # Raising rolls back, which also removes account rows that were made to be locked.
            raise Problem(REFUSALS[outcome])
        return BalanceOut.model_validate(await balances.load_player_balance(session, player_id))


@router.post(
    "/{player_id}/unspend",
    responses=problem_responses(
        *UNSPEND_REFUSALS.values(), "external_wallet", "balance_limit", *BODY_PROBLEMS
    ),
)
async def unspend_balance(  # noqa: PLR0917 - FastAPI passes each by its name
    player_id: PlayerId,
    body: UnspendIn,
    database: Db,
    settings: Config,
    now: Now,
    spender: Spender,
) -> BalanceOut:
    """Give a spend back to the available balance, in part or all; return the balance.

    Idempotent by `reference` and `amount`: the same again changes nothing. 404 `unknown_spend` for
    a reference that the player spent nothing under; 409 `exceeds_spend` for more than is left of
    the spend; 422 for another currency than the spend's; 409 `external_wallet` where the balance is
    held in the sportsbook's wallet, which gives back what was spent.
    """
    if settings.has_wallet:
        raise Problem("external_wallet")
    async with database.transaction() as session:
        outcome = await spending.unspend(
            session,
            player_id=player_id,
            amount=body.amount.to_money() if body.amount else None,
            reference=body.reference,
            at=now,
            by=spender.reporter,
        )
        if outcome is UnspendOutcome.OTHER_CURRENCY:
            raise invalid_field("amount.currency", "Must be the currency of the spend")
        if outcome in UNSPEND_REFUSALS:
            raise Problem(UNSPEND_REFUSALS[outcome])
        return BalanceOut.model_validate(await balances.load_player_balance(session, player_id))


@router.get(
    "/{player_id}/statement", dependencies=[Depends(requires("rewards:read", "players:read"))]
)
async def show_statement(  # noqa: PLR0917 - FastAPI passes each by its name
    player_id: PlayerId,
    database: Db,
    limit: Limit = 50,
    cursor: Cursor = None,
    account: StatementAccount = StatementAccount.AVAILABLE,
    kind: RewardKind = RewardKind.CASH,
) -> PageOut[LineOut]:
    """List ledger lines of one of the player's accounts, newest first; amounts in minor units.

    Cash and bonus bets have accounts of their own: `kind` says of which.
    """
    before = decode_line_number(cursor)
    async with database.reading() as session:
        lines = await balances.load_statement(
            session, player_id, Book(account), before=before, limit=limit + 1, kind=kind
        )
    page_lines = lines[:limit]
    items = [LineOut.model_validate(line) for line in page_lines]
    has_more = len(lines) > limit
    return PageOut(
        items=items, next_cursor=encode_cursor(str(page_lines[-1].line)) if has_more else None
    )


def invited_out(view: ReferralView) -> InvitedOut:
    """Return an invitation as its referrer may see it."""
    reason, until = PLAYER_FACING_REASONS[view.stage], None
    if view.stage is Stage.DEFERRED:
        until = view.until
        if {hold.reason for hold in view.holds} == {HoldReason.LIMIT}:
            reason, until = PlayerFacingReason.LIMIT, view.holds[0].until
        elif [hold.detail for hold in view.holds] == [(RewardType.REFERRER,)]:
            # That of the friend is nobody else's business.
            reason = PlayerFacingReason.TAX_FORM
    elif {hold.reason for hold in view.holds} == {HoldReason.HOLD_PERIOD}:
        reason, until = PlayerFacingReason.HOLD_PERIOD, view.holds[0].until
    elif {hold.reason for hold in view.holds} == {HoldReason.PAYMENT_PENDING}:
        reason = PlayerFacingReason.BEING_CREDITED
    return InvitedOut(
        invited_at=view.invited_at,
        stage=view.stage,
        reason=reason.text,
        reason_code=reason,
        until=until,
    )
