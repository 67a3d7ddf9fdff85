"""Things that reports count: what happened to a code or a referral, once, at its own time."""

from typing import Final

# Every source has the columns at, referral_id, campaign, channel, platform, and stands in
# `within_span`, whose time it may use. What can happen to a referral more than once (a signup that
# was reported late, a reward that was taken back again) counts the first time.
SHARES: Final = """
    select shared_at as at, null::uuid as referral_id, campaigns.slug as campaign,
           shares.channel, null::text as platform
      from shares
      join codes on codes.code = shares.code
      join campaigns on campaigns.id = codes.campaign_id
"""
# A visit has a visitor, until an erasure: it counts as before then. So does one of an invitation
# whose touches were let go of.
CLICKS: Final = """
    select at, referral_id, campaign_slug as campaign, null::text as channel, platform
      from touches
     where referral_id is not null and player_id is null
       and answers is null and refusal is null
       and method in ('referral_token', 'universal_link', 'qr_code', 'signal')
    union all
    select cast(click ->> 0 as timestamptz), referral_id, referrals.campaign_slug, null::text,
           click ->> 1
      from let_go_invitations
      join referrals on referrals.id = referral_id
     cross join jsonb_array_elements(clicks) as click
     where last_click_at >= cast(:since as timestamptz)
"""
INVITATIONS: Final = """
    select invited_at as at, id as referral_id, campaign_slug as campaign,
           null::text as channel, null::text as platform
      from referrals
"""
# A referral that release 0.2 rewarded has no qualification: it qualified when it was promised one.
QUALIFIED: Final = """
    select met_at as at, referral_id, referrals.campaign_slug as campaign,
           null::text as channel, null::text as platform
      from qualifications
      join referrals on referrals.id = qualifications.referral_id
     where attempt = 1
    union all
    select timeline.at, referral_id, referrals.campaign_slug, null::text, null::text
      from timeline
      join referrals on referrals.id = timeline.referral_id
     where timeline.stage in ('HELD', 'DEFERRED', 'REWARDED')
       and not exists (
           select from qualifications where qualifications.referral_id = timeline.referral_id)
       and not exists (
           select from timeline as earlier
            where earlier.referral_id = timeline.referral_id and earlier.step < timeline.step
              and earlier.stage in ('HELD', 'DEFERRED', 'REWARDED'))
"""


def _first_entry(stage: str) -> str:
    return f"""
    select timeline.at, referral_id, referrals.campaign_slug as campaign,
           null::text as channel, null::text as platform
      from timeline
      join referrals on referrals.id = timeline.referral_id
     where timeline.stage = '{stage}'
       and not exists (
           select from timeline as earlier
            where earlier.referral_id = timeline.referral_id
              and earlier.stage = timeline.stage and earlier.step < timeline.step)
"""


SOURCES: Final = {
    "shares": SHARES,
    "clicks": CLICKS,
    "invitations": INVITATIONS,
    "signups": _first_entry("SIGNED_UP"),
    "qualified": QUALIFIED,
    "rewarded": _first_entry("REWARDED"),
    "reversed": _first_entry("REVERSED"),
}
"""SQL of what each column of the funnel counts, by the column's name."""

SIGNS: Final = {"release": 1, "reverse": -1, "owe": -1, "reinstate": 1, "forgive": 1}
"""Movements that make up the cost, with their sign: what was credited, less what was taken back or
is owed, and what was given again. A recovery pays a debt that the cost is without already."""
COST: Final = f"""
    select transfers.at, coalesce(rewards.referral_id, transfers.referral_id) as referral_id,
           campaigns.slug as campaign, null::text as channel, null::text as platform,
           transfers.currency,
           transfers.amount_minor
               * case when movement in ('reverse', 'owe') then -1 else 1 end as minor
      from transfers
      join campaigns on campaigns.id = transfers.campaign_id
      left join rewards on rewards.id = transfers.reward_id
     where movement in ({", ".join(f"'{movement}'" for movement in SIGNS)})
"""


def within_span(source: str) -> str:
    """Return a source's rows of the report's time and campaign."""
    return f"""
    select * from ({source}) as source
     where source.at >= cast(:since as timestamptz) and source.at < cast(:until as timestamptz)
       and (cast(:campaign as text) is null or source.campaign = :campaign)
"""
