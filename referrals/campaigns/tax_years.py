"""Tax years of players: what each was credited over all campaigns, and who released more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import NAMESPACE_URL

from sqlalchemy import text

from db import outbox
from db.engine import ReadSession, Session
from db.locks import lock_players
from db.tables import ReferralRow, Reward
from domain.campaigns.limits.decision import Fits
from domain.campaigns.limits.periods import Calendar, Per, Period, TaxYearStart
from domain.campaigns.limits.thresholds import (
    REACHED,
    WARNING,
    OverThreshold,
    Thresholds,
    comes_near,
)
from domain.campaigns.rules import RewardKey, RewardType
from domain.derived_ids import derived_id
from domain.money import Money
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.campaigns import limits_queue

ALERT: Final = "TaxThresholdAlert"
_SIDES: Final = (RewardType.REFERRER, RewardType.REFEREE)

# One row for each player and tax year in which something was judged or released.
_OPEN: Final = text("""
    with opened as (
        insert into tax_years (player_id, begins_on) values (:player_id, :begins_on)
        on conflict do nothing
        returning player_id
    )
    select exists (select from opened) as is_new,
           (select released_at from tax_years
             where player_id = :player_id and begins_on = :begins_on) as released_at
""")
# What was credited before a threshold was set counts from the first time that it is asked for.
_ADOPT: Final = text("""
    update rewards w set taxed_at = coalesce(r.credited_at, :at)
      from referrals r
     where r.id = w.referral_id and w.player_id = :player_id and w.taxed_at is null
       and w.status in ('HELD', 'ISSUED') and coalesce(r.credited_at, :at) >= :starts_at
""")
# Held rewards count, and what the wallet may still reinstate. Until a release no more than the
# threshold counts, so that the rows of the index are few, however many friends a player brought.
_COUNTED: Final = text("""
    select coalesce(sum(greatest(w.amount_minor, w.due_minor)), 0) from rewards w
     where w.player_id = :player_id and w.currency = :currency
       and w.taxed_at >= :starts_at and w.taxed_at < :until
       and w.referral_id <> :referral_id
       and (w.status in ('HELD', 'ISSUED') or w.status = 'REVERSED' and exists (
               select from holds h where h.referral_id = w.referral_id
                  and h.reason = 'payment_pending' and h.cleared_at is null))
""")
_RELEASE: Final = text("""
    insert into tax_years (player_id, begins_on, released_at, released_by)
    values (:player_id, :begins_on, :at, :released_by)
    on conflict (player_id, begins_on) do update
       set released_at = excluded.released_at, released_by = excluded.released_by
     where tax_years.released_at is null
    returning player_id
""")
_TOTALS: Final = text("""
    select w.currency, sum(greatest(w.amount_minor, w.due_minor)) as minor
      from rewards w join referrals r on r.id = w.referral_id
     where w.player_id = :player_id and w.status in ('HELD', 'ISSUED')
       and coalesce(w.taxed_at, r.credited_at, w.created_at) >= :starts_at
       and coalesce(w.taxed_at, r.credited_at, w.created_at) < :until
     group by w.currency order by w.currency
""")
_RELEASE_OF: Final = text("""
    select released_at, released_by from tax_years
     where player_id = :player_id and begins_on = :begins_on
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxYear:
    """A player's tax year: the totals by currency, held rewards included, and its release."""

    begins_on: date
    until: datetime
    """First instant of the next one."""
    totals: Sequence[Money]
    released_at: datetime | None
    released_by: str | None


async def judge(
    session: Session,
    referral: ReferralRow,
    rewards: Sequence[Reward],
    amounts: Mapping[RewardKey, int],
    *,
    thresholds: Thresholds,
    at: datetime,
    tax_year_start: TaxYearStart,
    stand: bool = False,
) -> Fits | OverThreshold:
    """Decide whether the rewards of a locked referral fit under their players' thresholds now.

    Of rewards that `stand` credited since an earlier year, only what they rise by counts. All are
    counted under the players' locks, which the act holds. Warns once for each player, year and
    currency.
    """
    year = year_of(at, tax_year_start)
    for side in _SIDES:
        theirs = _of_player_on(side, rewards)
        threshold = thresholds.get(theirs[0].currency) if theirs else None
        if threshold is None or await _is_released(session, theirs[0].player_id, year, at=at):
            continue
        total = _Total(
            player_id=theirs[0].player_id,
            year=year,
            threshold=threshold,
            need_minor=sum(_need_minor(r, amounts, year if stand else None) for r in theirs),
        )
        if not await _fits(session, referral, total, at=at):
            return OverThreshold(side, _end(year))
    return Fits()


def _need_minor(reward: Reward, amounts: Mapping[RewardKey, int], year: Period | None) -> int:
    """Return what a reward needs of a year, where it may stand credited in an earlier one."""
    need_minor = max(reward.amount_minor, amounts.get(reward.key, 0))
    if year is None or reward.taxed_at is None or year.holds(reward.taxed_at):
        return need_minor
    return max(0, need_minor - max(reward.amount_minor, reward.due_minor or 0))


def _of_player_on(side: RewardType, rewards: Sequence[Reward]) -> Sequence[Reward]:
    """Return the rewards of a side's player; of one who is on both sides, both count."""
    players = {reward.player_id for reward in rewards if reward.reward_type is side}
    return [reward for reward in rewards if reward.player_id in players]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Total:
    """Credit that a player is about to get in a tax year, beside the threshold of its currency."""

    player_id: str
    year: Period
    threshold: Money
    need_minor: int


async def _fits(session: Session, referral: ReferralRow, total: _Total, *, at: datetime) -> bool:
    """Return whether a player stays within a threshold, and tell of one that is near or reached."""
    values = {"currency": total.threshold.currency, "referral_id": referral.id}
    counted = await session.scalar(_COUNTED, _key(total.player_id, total.year) | values)
    before_minor = int(counted or 0)
    after_minor = before_minor + total.need_minor
    if after_minor > total.threshold.minor:
        await _alert(session, total, percent=REACHED, total_minor=before_minor, at=at)
        return False
    if comes_near(before_minor, after_minor, total.threshold):
        await _alert(session, total, percent=WARNING, total_minor=after_minor, at=at)
    return True


def take_place(rewards: Sequence[Reward], *, at: datetime) -> None:
    """Count the rewards in the tax year of `at`, for as long as they are HELD or ISSUED."""
    for reward in rewards:
        reward.taxed_at = at


async def release(
    session: Session, player_id: str, actor: Actor, *, at: datetime, tax_year_start: TaxYearStart
) -> TaxYear:
    """Let a player be credited beyond the thresholds in this tax year, and wake what waits.

    Audited the first time; again it changes nothing.
    """
    await lock_players(session, player_id)
    year = year_of(at, tax_year_start)
    values = {"at": at, "released_by": actor.name}
    if await session.scalar(_RELEASE, _key(player_id, year) | values) is not None:
        begins_on = _begin(year).date()
        audit_id = await audit.write(
            session,
            actor,
            action="player.tax_release",
            subject=f"player:{player_id}",
            details={"tax_year": begins_on.isoformat()},
        )
        await limits_queue.wake_released(session, player_id, audit_id=audit_id)
    return await find_tax_year(session, player_id, at=at, tax_year_start=tax_year_start)


async def find_tax_year(
    session: ReadSession, player_id: str, *, at: datetime, tax_year_start: TaxYearStart
) -> TaxYear:
    """Return the present tax year of a player; nobody need have heard of them."""
    year = year_of(at, tax_year_start)
    rows = await session.execute(_TOTALS, _key(player_id, year))
    released = (await session.execute(_RELEASE_OF, _key(player_id, year))).one_or_none()
    return TaxYear(
        begins_on=_begin(year).date(),
        until=_end(year),
        totals=[Money(int(row.minor), row.currency) for row in rows],
        released_at=released.released_at if released else None,
        released_by=released.released_by if released else None,
    )


def year_of(at: datetime, tax_year_start: TaxYearStart) -> Period:
    """Return the tax year of an instant, in UTC: it is the same for every campaign."""
    return Calendar(zone=UTC, tax_year_start=tax_year_start).period(Per.TAX_YEAR, at)


async def _is_released(session: Session, player_id: str, year: Period, *, at: datetime) -> bool:
    found = (await session.execute(_OPEN, _key(player_id, year))).one()
    if found.is_new:
        await session.execute(_ADOPT, _key(player_id, year) | {"at": at})
    return found.released_at is not None


def _key(player_id: str, year: Period) -> dict[str, Any]:
    return {
        "player_id": player_id,
        "begins_on": _begin(year).date(),
        "starts_at": year.starts_at,
        "until": year.until,
    }


def _begin(year: Period) -> datetime:
    if year.starts_at is None:
        raise ValueError("a tax year has a first instant")
    return year.starts_at


def _end(year: Period) -> datetime:
    if year.until is None:
        raise ValueError("a tax year has an end")
    return year.until


async def _alert(
    session: Session, total: _Total, *, percent: int, total_minor: int, at: datetime
) -> None:
    """Write the event once for each player, year, currency and percentage."""
    player_id, threshold = total.player_id, total.threshold
    begins_on = _begin(total.year).date().isoformat()
    parts = (player_id, begins_on, threshold.currency, str(percent))
    event_id = derived_id(NAMESPACE_URL, ALERT, *parts)
    payload = {
        "event_id": str(event_id),
        "type": ALERT,
        "schema_version": outbox.SCHEMA_VERSION,
        "occurred_at": at.isoformat(),
        "player_id": player_id,
        "tax_year": begins_on,
        "threshold": percent,
        "total": {"minor": total_minor, "currency": threshold.currency},
        "limit": {"minor": threshold.minor, "currency": threshold.currency},
    }
    key = f"player:{player_id}"
    await outbox.write_event(session, event_id=event_id, type_=ALERT, key=key, payload=payload)
