"""Circumstances of referrals whose terms have a condition or ask for turnover, as recorded now."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text

from db.engine import ReadSession
from db.tables import ReferralRow
from domain.campaigns.conditions.fields import Value
from domain.campaigns.terms import Terms
from domain.intake.facts import FactKind, Signup
from domain.money import Money
from domain.rewards.circumstances import Circumstances, Stake
from referrals.campaigns.versions import options_from
from referrals.intake.facts import fact_of
from referrals.lifecycle.stages import terms_of

# The channel is that of the code's latest share before the click, as reports see it.
_PAIRS: Final = text("""
    select r.id, r.attribution_method as method, v.options,
           (select f.body from facts f
             where f.kind = 'signup' and f.event_id = r.signup_event_id) as referee_signup,
           (select f.body from facts f
             where f.kind = 'signup' and f.player_id = r.referrer_id
             order by f.occurred_at, f.event_id limit 1) as referrer_signup,
           exists (select from facts f where f.kind = 'player' and f.player_id = r.referee_id
                      and f.body ->> 'status' = 'verified') as referee_verified,
           exists (select from facts f where f.kind = 'player' and f.player_id = r.referrer_id
                      and f.body ->> 'status' = 'verified') as referrer_verified,
           exists (select from facts f where f.kind = 'deposit'
                      and f.player_id = r.referrer_id) as referrer_deposited,
           (select count(*) from referrals o
             where o.referrer_id = r.referrer_id and o.campaign_id = r.campaign_id
               and o.id <> r.id and o.stage in ('REWARDED', 'SETTLED')) as rewarded,
           (select s.channel from shares s
             where s.code = r.code and s.shared_at <= r.invited_at
             order by s.shared_at desc, s.id limit 1) as channel,
           array(select f.event_id from qualification_facts f
                  where r.stage in ('HELD', 'DEFERRED') and f.kind = 'deposit'
                    and f.qualification_id = (select q.id from qualifications q
                                               where q.referral_id = r.id
                                               order by q.attempt desc limit 1)) as met_by
      from referrals r join campaign_versions v on v.id = r.campaign_version_id
     where r.id = any(:referrals)
""")
_STAKES: Final = text("""
    select r.id, f.occurred_at, (f.body #>> '{stake,minor}')::bigint as minor,
           f.body #>> '{stake,currency}' as currency
      from referrals r
      join facts f on f.kind = 'wager' and f.player_id = r.referee_id
       and f.occurred_at >= r.signed_up_at
     where r.id = any(:referrals)
""")


async def load_circumstances(
    session: ReadSession, referral_ids: Collection[UUID]
) -> Mapping[UUID, Circumstances]:
    """Return the circumstances of referrals; a page of them costs two statements."""
    if not referral_ids:
        return {}
    values = {"referrals": list(referral_ids)}
    stakes: dict[UUID, list[Stake]] = defaultdict(list)
    for row in await session.execute(_STAKES, values):
        stakes[row.id].append(Stake(row.occurred_at, Money(row.minor, row.currency)))
    return {
        row.id: _circumstances(row, stakes[row.id]) for row in await session.execute(_PAIRS, values)
    }


async def circumstances_of(
    session: ReadSession, row: ReferralRow, terms: Terms | None = None
) -> Circumstances | None:
    """Return the circumstances of one referral; None where its terms do not ask for any."""
    if not (terms or terms_of(row)).rules.ask_circumstances:
        return None
    return (await load_circumstances(session, [row.id])).get(row.id)


def _circumstances(row: Row[Any], stakes: Sequence[Stake]) -> Circumstances:
    referee, referrer = _signup(row.referee_signup), _signup(row.referrer_signup)
    known: dict[str, Value | None] = {
        "referee.jurisdiction": referee.jurisdiction if referee else None,
        "referee.platform": referee.platform if referee else None,
        "referee.currency": referee.currency if referee else None,
        "referee.verified": row.referee_verified or None,
        "referrer.jurisdiction": referrer.jurisdiction if referrer else None,
        "referrer.verified": row.referrer_verified or None,
        "referrer.has_deposited": row.referrer_deposited,
        "referrer.rewarded": row.rewarded,
        "attribution.method": row.method,
        "share.channel": row.channel,
    }
    return Circumstances(
        zone=ZoneInfo(options_from(row.options).time_zone),
        known={name: value for name, value in known.items() if value is not None},
        referrer_signed_up_at=referrer.occurred_at if referrer else None,
        stakes=stakes,
        met_by=frozenset(row.met_by),
    )


def _signup(body: Mapping[str, Any] | None) -> Signup | None:
    fact = fact_of(FactKind.SIGNUP, dict(body)) if body else None
    return fact if isinstance(fact, Signup) else None
