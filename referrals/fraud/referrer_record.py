"""Record of a referrer: what became of the latest referees before the one that is judged."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row

from domain.fraud.snapshot import ReferrerHistory

MAX_REFEREES: Final = 50
"""Latest referees whose conduct is counted."""
QUICK_S: Final = 2 * 24 * 3_600
"""Most seconds from a deposit to a withdrawal that count as quick."""

# Looks up each of the latest referees by keys: the assessment, the qualifying deposit, the first
# withdrawal after it, a reversed reward and a chargeback.
RECORD: Final = f"""
    with latest as (
        select id, referee_id, assessment_id, terms -> 'minimum_deposit' as minimum
        from referrals
        where referrer_id = :referrer and referee_id is not null and id <> :referral_id
          and invited_at <= :invited_at and stage <> 'LOST'
        order by invited_at desc limit {MAX_REFEREES}
    )
    select
        count(*) as referees,
        count(*) filter (where judged.verdict in ('review', 'block')) as flagged,
        count(*) filter (where exists(
            select from facts where player_id = latest.referee_id and kind = 'chargeback'
              and body ->> 'kind' = 'chargeback'
        )) as charged_back,
        count(*) filter (where exists(
            select from rewards where referral_id = latest.id and status = 'REVERSED'
        )) as clawed_back,
        count(deposit.occurred_at) as depositors,
        count(*) filter (where deposit.amount = latest.minimum) as minimum_depositors,
        count(*) filter (where exists(
            select from facts where player_id = latest.referee_id and kind = 'withdrawal'
              and occurred_at >= deposit.occurred_at
              and occurred_at <= deposit.occurred_at + make_interval(secs => {QUICK_S})
        )) as quick_withdrawers
    from latest
    left join assessments as judged on judged.id = latest.assessment_id
    left join lateral (
        select facts.occurred_at, facts.body -> 'amount' as amount
        from qualifications
        join qualification_facts as resting on resting.qualification_id = qualifications.id
        join facts on facts.kind = resting.kind and facts.event_id = resting.event_id
        where qualifications.referral_id = latest.id
        order by facts.occurred_at limit 1
    ) as deposit on true
"""  # noqa: S608 - made of constants of ours


def record_from(
    row: Row[Any],
    *,
    account_age_s: int | None,
    has_deposited: bool | None,
    spacing_variation_percent: int | None,
) -> ReferrerHistory:
    """Return the referrer's record of a row of RECORD; the keywords are what others found."""
    return ReferrerHistory(
        account_age_s=account_age_s,
        has_deposited=has_deposited,
        referees=row.referees,
        flagged_referees=row.flagged,
        charged_back=row.charged_back,
        clawed_back=row.clawed_back,
        depositors=row.depositors,
        minimum_depositors=row.minimum_depositors,
        quick_withdrawers=row.quick_withdrawers,
        spacing_variation_percent=spacing_variation_percent,
    )


def age_s(since: datetime | None, at: datetime) -> int | None:
    """Return the whole seconds from one time to another; 0 where the first is the later one."""
    return None if since is None else max(0, int((at - since).total_seconds()))
