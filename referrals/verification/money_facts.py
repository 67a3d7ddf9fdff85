"""Referrals page by page, each with the money facts of its referee, for checks that judge anew."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from db.engine import ReadSession
from domain.intake.facts import Chargeback, Deposit, FactKind
from referrals.intake import facts
from referrals.verification.invariant import Scope, scoped

PAGE_ROWS: Final = 500
"""Referrals judged at a time."""
_FIRST: Final = UUID(int=0)

MoneyFacts = Mapping[str, Sequence[Deposit | Chargeback]]
"""Deposits and chargebacks by the player who reported them."""


async def pages(
    session: ReadSession, query: str, scope: Scope
) -> AsyncIterator[tuple[Sequence[Row[Any]], MoneyFacts]]:
    """Yield the referrals that a query selects behind the id `:after`, and their referees' facts.

    The query selects `id` and `referee_id` and has neither an order nor a limit.
    """
    after = _FIRST
    while page := await _page(session, query, scope, after=after):
        yield page, await _facts_of(session, [row.referee_id for row in page])
        after = page[-1].id


async def _page(
    session: ReadSession, query: str, scope: Scope, *, after: UUID
) -> Sequence[Row[Any]]:
    page = text(f"{scoped(query, scope)} order by r.id limit {PAGE_ROWS}")
    values = {**scope.values, "after": after}
    needed = {name: values[name] for name in page.compile().params}
    return (await session.execute(page, needed)).all()


async def _facts_of(session: ReadSession, player_ids: Collection[str]) -> MoneyFacts:
    recorded = await facts.facts_of_players(
        session, player_ids, FactKind.DEPOSIT, FactKind.CHARGEBACK
    )
    by_player: dict[str, list[Deposit | Chargeback]] = defaultdict(list)
    for fact in recorded:
        if isinstance(fact, Deposit | Chargeback):
            by_player[fact.player_id].append(fact)
    return by_player
