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
    Invariant(
        "clawbacks_are_signed",
        "Each clawback is in the audit with who rejected the referral's case and why.",
        """
        select c.referral_id from clawbacks c
          left join audit a on a.subject = 'case:' || c.case_id and a.actor = c.decided_by
                           and a.action = 'case.reject' and a.reason = c.reason
                           and a.details -> 'takes_back' @> to_jsonb(c.referral_id::text)
         where a.id is null and $referrals(c.referral_id)
        """,
    ),
    # Few rows: each run looks at all of them.
    Invariant(
        "tax_releases_are_signed",
        "Each release of a player's tax year is in the audit with who released it and why.",
        """
        select y.player_id from tax_years y
          left join audit a on a.subject = 'player:' || y.player_id and a.actor = y.released_by
                           and a.action = 'player.tax_release' and a.reason <> ''
                           and a.details ->> 'tax_year' = y.begins_on::text
         where y.released_at is not null and a.id is null
        """,
    ),
    Invariant(
        "rebinds_are_signed",
        "Each decided rebind is in the audit with two different people and their reasons.",
        # The door compares more spellings than SQL can: these are the usual ones.
        r"""
        select b.id from rebinds b
          left join audit p on p.details ->> 'rebind_id' = b.id::text
                           and p.action = 'rebind.propose' and p.actor = b.proposed_by
          left join audit d on d.details ->> 'rebind_id' = b.id::text
                           and d.action in ('rebind.approve', 'rebind.reject')
                           and d.actor = b.decided_by
                           and lower(btrim(regexp_replace(normalize(d.actor, nfkc),
                                                          '\s+', ' ', 'g')))
                            <> lower(btrim(regexp_replace(normalize(p.actor, nfkc),
                                                          '\s+', ' ', 'g')))
         where b.status <> 'proposed' and (p.id is null or d.id is null)
        """,
    ),
    # Few rows: each run looks at all of them.
    Invariant(
        "campaign_acts_are_signed",
        "Each campaign has the status that the newest act on it in the audit gave it.",
        """
        select c.slug from campaigns c
         where c.status <> coalesce((
               select case replace(a.action, 'campaign.', '')
                           when 'pause' then 'paused' when 'end' then 'ended' else 'published' end
                 from audit a
                where a.subject = 'campaign:' || c.slug and a.actor <> '' and a.reason <> ''
                  and a.action in ('campaign.publish', 'campaign.pause', 'campaign.resume',
                                   'campaign.end')
                order by a.id desc limit 1), 'draft')
        """,
    ),
    Invariant(
        "versions_are_signed",
        "Each version of a campaign is in the audit with its author.",
        # The first version of `default` comes with the schema.
        """
        select v.id from campaign_versions v join campaigns c on c.id = v.campaign_id
         where not exists (select from audit a
                            where a.subject = 'campaign:' || c.slug and a.actor = v.author
                              and (a.action in ('campaign.create', 'campaign.revise')
                                   and a.details ->> 'version' = v.version::text
                                   or v.version = 1 and a.actor = 'migration 0005'))
        """,
    ),
    Invariant(
        "keys_are_signed",
        "Each API key is in the audit with its scopes, and so is its end.",
        """
        select k.id from api_keys k
         where not exists (select from audit a
                            where a.subject = 'key:' || k.id and a.action = 'key.create'
                              and a.actor <> '' and a.reason <> ''
                              and a.details -> 'scopes' = to_jsonb(k.scopes))
            or k.revoked_at is not null
           and not exists (select from audit a
                            where a.subject = 'key:' || k.id and a.action = 'key.revoke'
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
