"""Invariants of the audit: what people did is in it, with their names and reasons."""

from typing import Final

from referrals.verification.invariant import Invariant

AUDIT_INVARIANTS: Final = (
    Invariant(
        "decisions_are_signed",
        "Each decided review is in the audit with who decided it and why.",
        """
        select v.id from reviews v
          left join audit a on a.subject = 'review:' || v.id and a.actor = v.reviewer
                           and a.action = 'review.' || v.decision and a.reason <> ''
         where v.status = 'decided' and a.id is null and $referrals(v.referral_id)
        """,
    ),
    # Few rows: each run looks at all of them.
    Invariant(
        "rebinds_are_signed",
        "Each decided rebind is in the audit with two different people and their reasons.",
        """
        select b.id from rebinds b
          left join audit p on p.details ->> 'rebind_id' = b.id::text
                           and p.action = 'rebind.propose' and p.actor = b.proposed_by
          left join audit d on d.details ->> 'rebind_id' = b.id::text
                           and d.action in ('rebind.approve', 'rebind.reject')
                           and d.actor = b.decided_by and d.actor <> p.actor
         where b.status <> 'proposed' and (p.id is null or d.id is null)
        """,
    ),
    Invariant(
        "campaign_acts_are_signed",
        "Each campaign that left its draft is in the audit.",
        """
        select c.slug from campaigns c
         where c.status <> 'draft'
           and not exists (select from audit a
                            where a.subject = 'campaign:' || c.slug
                              and a.actor <> '' and a.reason <> '')
        """,
    ),
    Invariant(
        "fundings_are_signed",
        "Each funding of a campaign has an audit row of its own, with its reference and amount.",
        # Publishing funds the planned budget; the migration signs the first one without details.
        """
        with signed as (
            select subject, movement, reference, minor,
                   row_number() over (partition by subject, movement, reference order by id) as n
              from (select id, subject, (details ->> 'minor')::bigint as minor,
                           case action when 'campaign.defund' then 'defund' else 'fund' end
                               as movement,
                           case when action = 'campaign.publish' then 'publish'
                                when actor = 'migration 0005' then 'first budget'
                                else details ->> 'reference' end as reference
                      from audit
                     where action in ('campaign.publish', 'campaign.fund', 'campaign.defund')
                       and actor <> '' and reason <> '') a
        ), funded as (
            select t.id, 'campaign:' || c.slug as subject, t.movement, t.reference, t.amount_minor,
                   row_number() over (partition by t.campaign_id, t.movement, t.reference
                                      order by t.recorded_at, t.id) as n
              from transfers t join campaigns c on c.id = t.campaign_id
             where t.movement in ('fund', 'defund')
        )
        select t.id from funded t left join signed s using (subject, movement, reference, n)
         where $transfers(t.id)
           and (s.subject is null or coalesce(s.minor, t.amount_minor) <> t.amount_minor)
        """,
    ),
)
