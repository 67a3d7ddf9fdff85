"""Circumstances of referrals whose terms have a condition or ask for turnover, as recorded now."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text

from db.engine import ReadSession
from db.tables import ReferralRow
from domain.campaigns.conditions.fields import Value
from domain.campaigns.conditions.tree import mentions
from domain.campaigns.terms import Terms
from domain.intake.facts import FactKind, Signup
from domain.rewards.circumstances import Circumstances
from referrals.campaigns.versions import options_from
from referrals.intake.facts import fact_of
from referrals.lifecycle.turnover import load_turnovers

REWARDED: Final = "referrer.rewarded"
"""The field of conditions that counts the referrer's rewarded referrals."""

# The channel is that of the code's latest share before the click, as reports see it. Of an attempt
# only the last deposit, which reached the minimum, was judged by the condition.
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
             where :counts_rewarded and o.referrer_id = r.referrer_id
               and o.campaign_id = r.campaign_id
               and o.id <> r.id and o.stage in ('REWARDED', 'SETTLED')) as rewarded,
           (select s.channel from shares s
             where s.code = r.code and s.shared_at <= r.invited_at
             order by s.shared_at desc, s.id limit 1) as channel,
           (select f.event_id from qualification_facts f join facts d using (kind, event_id)
             where r.stage in ('HELD', 'DEFERRED') and f.kind = 'deposit'
               and f.qualification_id = (select q.id from qualifications q
                                          where q.referral_id = r.id
                                          order by q.attempt desc limit 1)
             order by d.occurred_at desc, d.event_id collate "C" desc limit 1) as met_by
      from referrals r join campaign_versions v on v.id = r.campaign_version_id
     where r.id = any(:referrals)
""")


async def load_circumstances(
    session: ReadSession, terms: Mapping[UUID, Terms]
) -> Mapping[UUID, Circumstances]:
    """Return the circumstances of referrals, by the terms that each is judged by, with its rates.

    A page of them costs two statements, and one where no terms ask for stakes. The referrer's
    rewarded referrals, which may be many, are counted where a condition reads how many there are.
    """
    turnovers = await load_turnovers(session, terms)
    conditions = [one.rules.when for one in terms.values() if one.rules.when is not None]
    known = await load_pairs(
        session, terms, counts_rewarded=any(mentions(one, REWARDED) for one in conditions)
    )
    return {id_: replace(one, turnovers=turnovers.get(id_, {})) for id_, one in known.items()}


async def load_pairs(
    session: ReadSession, referral_ids: Collection[UUID], *, counts_rewarded: bool = True
) -> Mapping[UUID, Circumstances]:
    """Return the circumstances of referrals without turnover, whatever their terms."""
    if not referral_ids:
        return {}
    values = {"referrals": list(referral_ids), "counts_rewarded": counts_rewarded}
    rows = await session.execute(_PAIRS, values)
    return {row.id: _circumstances(row, counts_rewarded=counts_rewarded) for row in rows}


async def circumstances_of(
    session: ReadSession, row: ReferralRow, terms: Terms
) -> Circumstances | None:
    """Return the circumstances of one referral; None where its terms do not ask for any.

    The terms are those with the rates that count for it.
    """
    if not terms.rules.ask_circumstances:
        return None
    return (await load_circumstances(session, {row.id: terms})).get(row.id)


def _circumstances(row: Row[Any], *, counts_rewarded: bool) -> Circumstances:
    referee, referrer = _signup(row.referee_signup), _signup(row.referrer_signup)
    known: dict[str, Value | None] = {
        "referee.jurisdiction": referee.jurisdiction if referee else None,
        "referee.platform": referee.platform if referee else None,
        "referee.currency": referee.currency if referee else None,
        "referee.verified": row.referee_verified or None,
        "referrer.jurisdiction": referrer.jurisdiction if referrer else None,
        "referrer.verified": row.referrer_verified or None,
        "referrer.has_deposited": row.referrer_deposited,
        REWARDED: row.rewarded if counts_rewarded else None,
        "attribution.method": row.method,
        "share.channel": row.channel,
    }
    return Circumstances(
        zone=ZoneInfo(options_from(row.options).time_zone),
        known={name: value for name, value in known.items() if value is not None},
        referrer_signed_up_at=referrer.occurred_at if referrer else None,
        met_by=row.met_by,
    )


def _signup(body: Mapping[str, Any] | None) -> Signup | None:
    fact = fact_of(FactKind.SIGNUP, dict(body)) if body else None
    return fact if isinstance(fact, Signup) else None
