"""Invariants of the audit: what people did is in it, with their names and reasons."""

from typing import Final

from referrals.verification.invariant import Invariant

# The n-th turn of a switch by a person has the n-th row in the audit.
_UNSIGNED_TURNS: Final = """
    with signed as (
        select subject, action, actor,
               row_number() over (partition by subject, action, actor order by id) as n
          from audit where {actions} and reason <> ''
    ), turned as ({turns})
    select t.id from turned t left join signed s
           on s.subject = t.subject and s.action = t.action and s.actor = t.actor and s.n = t.n
     where s.subject is null
"""

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
    # What steers money, which the application's password alone could write. Few rows: each run
    # looks at all of them.
    Invariant(
        "live_versions_are_published",
        "Each campaign's live version was published by somebody in the audit, and has its dates.",
        # Release 0.2 published its first campaign by migration, and each version as it was written.
        # A draft that was ended was never live.
        """
        select c.slug from campaigns c
          left join campaign_versions v on v.campaign_id = c.id and v.version = c.version
         where c.status <> 'draft'
           and not (c.status = 'ended'
                    and not exists (select from campaign_publications p where p.campaign_id = c.id)
                    and not exists (select from referrals r
                                     where r.campaign_id = c.id and r.signed_up_at is not null))
           and (v.id is null
                or v.starts_at is not null
                   and (v.starts_at, v.ends_at) is distinct from (c.starts_at, c.ends_at)
                or not exists (
                   select from campaign_publications p
                     join audit a on a.subject = 'campaign:' || c.slug
                                 and a.actor = p.published_by and a.reason <> ''
                                 and a.action in ('campaign.publish', 'campaign.replace',
                                                  'campaign.revise')
                                 and a.details ->> 'version' = p.version::text
                    where p.campaign_id = c.id and p.version = c.version)
                   and not (v.starts_at is null
                            and not exists (select from campaign_publications p
                                             where p.campaign_id = c.id)
                            and exists (select from campaign_versions f
                                         where f.campaign_id = c.id and f.version = 1
                                           and f.author = 'migration 0005')))
        """,
    ),
    Invariant(
        "switches_are_signed",
        "Each turn of a kill switch is in the audit with who turned it.",
        _UNSIGNED_TURNS.format(
            actions="action in ('switch.on', 'switch.off')",
            turns="""
                select id, 'switch:' || scope as subject, switched_by as actor,
                       case when is_off then 'switch.off' else 'switch.on' end as action,
                       row_number() over (partition by scope, is_off, switched_by order by id) as n
                  from switches
            """,
        ),
    ),
    Invariant(
        "live_rule_sets_are_signed",
        "Each rule set that became live is in the audit with who published it.",
        # The first one comes with the service.
        _UNSIGNED_TURNS.replace("action, actor,", "'live' as action, actor,")
        .replace("partition by subject, action, actor", "partition by subject, actor")
        .format(
            actions="action in ('rule_set.publish', 'rule_set.rollback')",
            turns="""
                select id, 'rule-set:' || version as subject, 'live' as action,
                       switched_by as actor,
                       row_number() over (partition by version, switched_by order by id) as n
                  from rule_set_switches
                 where role = 'live' and not (version = 1 and switched_by = 'service')
            """,
        ),
    ),
    Invariant(
        "rates_are_signed",
        "Each table of exchange rates is in the audit with who wrote it and what it says.",
        """
        select r.id from rate_tables r
         where not exists (select from audit a
                            where a.subject = 'rates:' || r.base and a.action = 'rates.write'
                              and a.actor = r.written_by and a.reason <> ''
                              and a.details ->> 'source' = r.source
                              and a.details -> 'rates' = r.rates)
        """,
    ),
    Invariant(
        "list_entries_are_signed",
        "Each entry of a fraud list is in the audit with who added and who removed it.",
        """
        select e.id from list_entries e
         where not exists (select from audit a
                            where a.subject = 'list-entry:' || e.id and a.action = 'list.add'
                              and a.actor = e.added_by and a.reason <> ''
                              and a.details ->> 'list' = e.list_name)
            or e.removed_at is not null
           and not exists (select from audit a
                            where a.subject = 'list-entry:' || e.id and a.action = 'list.remove'
                              and a.actor = e.removed_by and a.reason <> '')
        """,
    ),
    Invariant(
        "facts_are_let_go_by_retention",
        "A fact is without its personal values by an erasure, or by retention and the audit.",
        """
        select f.kind || ':' || f.event_id from facts f
         where $players(f.player_id)
           and (f.let_go_at is not null
                and (f.let_go_at < f.heard_at + interval '60 days'
                     or not exists (select from audit a
                                     where a.subject = 'retention:facts' and a.at = f.let_go_at
                                       and a.action = 'retention.let_go')
                     or exists (select from referrals r
                                 where r.referrer_id = f.player_id
                                   and r.created_at < f.let_go_at - interval '1 minute')
                     or exists (select from attributions d
                                 where d.player_id = f.player_id and d.referral_id is not null
                                   and d.decided_at < f.let_go_at - interval '1 minute'))
                or f.let_go_at is null and f.fingerprint = 'erased'
                and not exists (select from erasures e where e.player_id = f.player_id))
        """,
    ),
    Invariant(
        "sessions_are_signed",
        "Each session of the console is in the audit with the sign-in that began it.",
        """
        select 'person:' || s.person_id from console_sessions s
         where not exists (select from audit a
                            where a.subject = 'person:' || s.person_id
                              and a.action = 'console.sign_in' and a.reason <> ''
                              and a.at = s.created_at and a.details ->> 'role' = s.role)
        """,
    ),
)
