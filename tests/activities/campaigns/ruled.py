"""Referrals under terms with rules, and what they are told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text

from db.engine import Database
from db.tables import Delivery
from domain.campaigns.conditions.reading import read_condition
from domain.campaigns.rules import Rules
from domain.campaigns.terms import Terms
from domain.intake.facts import Wager
from domain.rewards.fact_effect import FactEffect
from referrals.reporting.fact_views import find_facts
from tests.activities.referral_acts import ReferralActs
from tests.builders import NOW, TERMS, unique, usd


def ruled(when: Mapping[str, Any] | None = None, **rules: Any) -> Terms:  # noqa: ANN401 - any rule
    condition = read_condition(dict(when), "terms.when") if when else None
    return replace(TERMS, rules=Rules(when=condition, **rules))


def leaf(field: str, op: str, value: object) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def stake(acts: ReferralActs, minor: int, *, days: float = 1) -> Wager:
    return Wager(
        event_id=unique("wager"),
        occurred_at=NOW + timedelta(days=days),
        player_id=acts.referee_id,
        stake=usd(minor),
    )


async def effects(acts: ReferralActs) -> list[FactEffect]:
    async with acts.database.reading() as session:
        page = await find_facts(session, acts.row.id, after=None, limit=100)
    assert page is not None
    return [view.reason_code for view in page.items]


async def looks(acts: ReferralActs) -> int:
    """Return how often the referral's workflow is told to look, beside for its own facts."""
    query = select(Delivery.id).where(Delivery.referral_id == acts.row.id, Delivery.kind == "look")
    async with acts.database.reading() as session:
        return len((await session.scalars(query)).all())


async def acknowledge(superuser: Database) -> None:
    async with superuser.transaction() as session:
        await session.execute(text("update deliveries set acknowledged_at = created_at"))
