"""The database read into the shape of the model's standings."""

from typing import Final

from sqlalchemy import text

from db.engine import Database
from domain.lifecycle.referral import Stage
from tests.activities.stateful.shapes import Standings

_REFERRALS: Final = text("select referee_id, stage, until from referrals")
_REWARDS: Final = text("""
    select r.referee_id, w.reward_type, w.status, coalesce((
        select sum(case when t.movement in ('release', 'reinstate', 'forgive') then t.amount_minor
                        when t.movement in ('reverse', 'owe') then -t.amount_minor
                        else 0 end)
          from transfers t where t.reward_id = w.id), 0)::bigint as minor
      from rewards w join referrals r on r.id = w.referral_id
""")
_BALANCES: Final = text("""
    select a.book, coalesce(a.player_id, c.slug) as owner, sum(e.amount_minor)::bigint as minor
      from entries e join accounts a on a.id = e.account_id
      left join campaigns c on c.id = a.campaign_id
     where a.book <> 'funding' and c.slug is distinct from 'default'
     group by a.book, a.player_id, c.slug having sum(e.amount_minor) <> 0
""")
_HOLDS: Final = text("""
    select r.referee_id, array_agg(h.reason) as reasons
      from holds h join referrals r on r.id = h.referral_id
     where h.cleared_at is null group by r.referee_id
""")
_REVIEWS: Final = text("""
    select r.referee_id, v.round, v.attempt, v.reasons
      from reviews v join referrals r on r.id = v.referral_id where v.status = 'open'
""")


async def standings_of(database: Database) -> Standings:
    async with database.reading() as session:
        referrals = (await session.execute(_REFERRALS)).all()
        rewards = (await session.execute(_REWARDS)).all()
        balances = (await session.execute(_BALANCES)).all()
        holds = (await session.execute(_HOLDS)).all()
        reviews = (await session.execute(_REVIEWS)).all()
    return Standings(
        referrals={row.referee_id: (Stage(row.stage), row.until) for row in referrals},
        rewards={(row.referee_id, row.reward_type): (row.status, row.minor) for row in rewards},
        balances={(row.book, row.owner): row.minor for row in balances},
        holds={row.referee_id: frozenset(row.reasons) for row in holds},
        reviews={
            row.referee_id: (row.round, row.attempt, frozenset(row.reasons)) for row in reviews
        },
    )
