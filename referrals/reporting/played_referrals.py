"""Referrals of a period with what is recorded about them, page by page, for simulations."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from db.engine import ReadSession
from domain.campaigns.limits.decision import Used
from domain.campaigns.rules import RewardType
from domain.intake.facts import Chargeback, Deposit, FactKind
from domain.lifecycle.reasons import ReasonCode, code_of
from domain.money import Money, RewardKind
from domain.rewards.circumstances import Circumstances
from domain.rewards.simulation import Payment, PlayedReferral
from referrals.campaigns.limits import own_minor_sql
from referrals.intake import facts
from referrals.lifecycle.circumstances import load_pairs

PAGE: Final = 200
"""Referrals that are read and judged at a time."""
_FIRST_ID: Final = UUID(int=0)
_CLOCKS: Final = timedelta(days=1)
"""More than the clocks of two services differ."""

_COUNT: Final = text("""
    select count(*) from (
        select from referrals
         where campaign_id = :campaign_id and invited_at >= :since and invited_at < :until
         limit :limit
    ) as counted
""")
# Read by the index of signups, which come after their invitations, but for the clocks of services.
_PAGE: Final = text("""
    select r.id, r.referrer_id, r.referee_id, r.invited_at, r.signed_up_at, r.stage,
           (select f.body ->> 'jurisdiction' from facts f
             where f.kind = 'signup' and f.event_id = r.signup_event_id) as jurisdiction,
           (select l.reason from timeline l
             where l.referral_id = r.id and l.step = r.steps) as reason,
           (select l.reason_code from timeline l
             where l.referral_id = r.id and l.step = r.steps) as reason_code
      from referrals r
     where r.campaign_id = :campaign_id and r.stage <> 'LOST' and r.referee_id is not null
       and r.invited_at >= :since and r.invited_at < :until
       and (r.signed_up_at, r.id) > (cast(:after_at as timestamptz), cast(:after_id as uuid))
     order by r.signed_up_at, r.id limit :limit
""")
_STANDING: Final = text("""
    select w.referral_id, w.reward_type, coalesce(w.kind, 'cash') as kind,
           w.amount_minor, w.due_minor, w.currency
      from rewards w
     where w.referral_id = any(:referrals) and w.status in ('HELD', 'ISSUED')
     order by w.referral_id, w.reward_type
""")
_REWARDED: Final = text("""
    select r.referrer_id, coalesce(r.credited_at, r.signed_up_at) as at,
           r.invited_at >= :since and r.invited_at < :until as is_inside
      from referrals r
     where r.campaign_id = :campaign_id and r.referrer_id = any(:referrers)
       and r.stage in ('REWARDED', 'SETTLED')
     order by at
""")
_COUNTED: Final = """
    select {group} as owner, {at} as at, count(*) as rewards,
           coalesce(sum({minor}), 0) as minor
      from rewards w join referrals r on r.id = w.referral_id
      join campaigns c on c.id = r.campaign_id
     where r.campaign_id = :campaign_id and w.status in ('HELD', 'ISSUED')
       and not (r.invited_at >= :since and r.invited_at < :until) {where}
     group by 1, 2 order by 2
"""
_OWN_MINOR: Final = own_minor_sql("greatest(w.amount_minor, w.due_minor)").replace(
    ":currency", "c.currency"
)
_QUARTER: Final = (
    "date_bin('15 minutes', coalesce(w.counted_at, w.created_at), timestamptz '2000-01-01 00:00Z')"
)
# Zones differ from UTC by whole quarters of an hour, so that no period begins within one.
_COUNTED_OF_REFERRERS: Final = text(
    _COUNTED.format(
        group="w.player_id",
        at=_QUARTER,
        minor=_OWN_MINOR,
        where="and w.reward_type = 'referrer' and w.player_id = any(:referrers)",
    )
)
_COUNTED_OF_CAMPAIGN: Final = text(
    _COUNTED.format(group="''", at=_QUARTER, minor=_OWN_MINOR, where="")
)

Times = tuple[datetime, Used]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The referrals of a campaign that were invited in a time, whose end is exclusive."""

    campaign_id: UUID
    since: datetime
    until: datetime

    @property
    def values(self) -> dict[str, Any]:
        return {"campaign_id": self.campaign_id, "since": self.since, "until": self.until}


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Rewards of the referrers from other referrals; it grows page by page."""

    rewarded_at: dict[str, list[datetime]] = field(default_factory=dict)
    """Times of the referrals outside the period."""
    all_rewarded_at: dict[str, list[datetime]] = field(default_factory=dict)
    counted: dict[str, list[Times]] = field(default_factory=dict)


async def count_invited(session: ReadSession, span: Span, *, limit: int) -> int:
    """Return how many referrals were invited in the time, counted up to a limit."""
    return int(await session.scalar(_COUNT, {**span.values, "limit": limit}) or 0)


async def played_referrals(
    session: ReadSession, span: Span, history: History, *, asks: bool
) -> AsyncIterator[Sequence[tuple[PlayedReferral, tuple[Payment, ...]]]]:
    """Yield pages of the referrals with a signup, each with the rewards that stand today.

    `asks` says whether terms read more than the deposits; turnovers are left to who knows them.
    """
    at, after_id = span.since - _CLOCKS, _FIRST_ID
    while True:
        position = {"after_at": at, "after_id": after_id, "limit": PAGE}
        page = (await session.execute(_PAGE, {**span.values, **position})).all()
        if page:
            await _extend(session, span, history, {row.referrer_id for row in page})
            yield await _played(session, page, history, asks=asks)
        if len(page) < PAGE:
            return
        at, after_id = page[-1].signed_up_at, page[-1].id


async def counted_of_campaign(session: ReadSession, span: Span) -> list[Times]:
    """Return the rewards of the referrals outside the period, by quarters of an hour."""
    rows = await session.execute(_COUNTED_OF_CAMPAIGN, span.values)
    return [(row.at, Used(int(row.rewards), int(row.minor))) for row in rows]


async def _extend(
    session: ReadSession, span: Span, history: History, referrers: Collection[str]
) -> None:
    new = sorted(referrers - history.counted.keys())
    if not new:
        return
    for referrer in new:
        history.rewarded_at[referrer], history.all_rewarded_at[referrer] = [], []
        history.counted[referrer] = []
    values = {**span.values, "referrers": new}
    for row in await session.execute(_REWARDED, values):
        history.all_rewarded_at[row.referrer_id].append(row.at)
        if not row.is_inside:
            history.rewarded_at[row.referrer_id].append(row.at)
    for row in await session.execute(_COUNTED_OF_REFERRERS, values):
        used = Used(int(row.rewards), int(row.minor))
        history.counted[row.owner].append((row.at, used))


async def _played(
    session: ReadSession, page: Sequence[Row[Any]], history: History, *, asks: bool
) -> list[tuple[PlayedReferral, tuple[Payment, ...]]]:
    ids = [row.id for row in page]
    circumstances = await load_pairs(session, ids) if asks else {}
    known = await _facts_of(session, [row.referee_id for row in page])
    standing = await _standing(session, ids)
    return [
        (
            _referral(row, known[row.referee_id], circumstances.get(row.id), history),
            standing[row.id],
        )
        for row in page
    ]


def _referral(
    row: Row[Any],
    known: Sequence[Deposit | Chargeback],
    circumstances: Circumstances | None,
    history: History,
) -> PlayedReferral:
    first = next((fact.occurred_at for fact in known), row.signed_up_at)
    rewarded = sum(at < first for at in history.all_rewarded_at[row.referrer_id])
    circumstances = circumstances or Circumstances()
    return PlayedReferral(
        referral_id=str(row.id),
        referrer_id=row.referrer_id,
        invited_at=row.invited_at,
        signed_up_at=row.signed_up_at,
        jurisdiction=row.jurisdiction,
        facts=known,
        circumstances=replace(
            circumstances,
            known={**circumstances.known, "referrer.rewarded": rewarded},
            met_by=None,
        ),
        refused=_refusal(row),
    )


def _refusal(row: Row[Any]) -> ReasonCode | None:
    """Return why a referral was rejected, if no terms decided it."""
    if row.stage != "REJECTED":
        return None
    code = ReasonCode(row.reason_code) if row.reason_code else code_of(row.reason)
    return code if code in {ReasonCode.FRAUD, ReasonCode.REVIEWER_REJECTED} else None


async def _facts_of(
    session: ReadSession, players: Collection[str]
) -> Mapping[str, list[Deposit | Chargeback]]:
    kinds = (FactKind.DEPOSIT, FactKind.CHARGEBACK)
    found: dict[str, list[Deposit | Chargeback]] = defaultdict(list)
    readable, _ = await facts.readable_facts_of_players(session, players, *kinds)
    for fact in readable:
        if isinstance(fact, Deposit | Chargeback):
            found[fact.player_id].append(fact)
    return found


async def _standing(
    session: ReadSession, referrals: Sequence[UUID]
) -> Mapping[UUID, tuple[Payment, ...]]:
    found: dict[UUID, tuple[Payment, ...]] = defaultdict(tuple)
    for row in await session.execute(_STANDING, {"referrals": list(referrals)}):
        whole = Money(row.amount_minor, row.currency)
        stands = whole if row.due_minor is None else Money(row.due_minor, row.currency)
        payment = Payment(RewardType(row.reward_type), RewardKind(row.kind), whole, stands)
        found[row.referral_id] = (*found[row.referral_id], payment)
    return found
