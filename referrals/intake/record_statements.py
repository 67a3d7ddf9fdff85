"""The statements that record facts, and look up those that were known."""

from typing import Final

from sqlalchemy import text

# One statement however many facts there are, because a caller's answer waits for it. Facts are
# inserted in the order of their keys, so that two batches that share some wait for each other in
# one order; they reach the inbox in the order in which they were reported. Bets do not: those of a
# player whose stakes are counted are added up by a trigger, which leaves one row for all of them.
# The arrays come from a subquery, which OFFSET 0 keeps whole: for an array that is a parameter,
# Postgres estimates rows by its length and plans again at nearly every call. A row has its own
# values alone, and not the arrays. The plan that is kept is made for ten facts: nothing here joins
# facts with facts, and IS TRUE keeps a hash table of what was added, in whose place no join steps.
RECORD: Final = text("""
    with given as (
        select given.* from (
            select cast(:kind as varchar[]) as kinds, cast(:event_id as varchar[]) as event_ids,
                cast(:player_id as varchar[]) as player_ids,
                cast(:occurred_at as timestamptz[]) as times, cast(:body as text[]) as bodies,
                cast(:fingerprint as varchar[]) as fingerprints,
                cast(:reported_by as varchar[]) as reporters,
                cast(:request_id as varchar[]) as request_ids,
                cast(:matching as text[]) as matchings, cast(:code as varchar[]) as codes,
                cast(:body_if_unknown as text[]) as bodies_if_unknown,
                cast(:fingerprint_if_unknown as varchar[]) as fingerprints_if_unknown
            offset 0
        ) as parameters cross join lateral unnest(
            kinds, event_ids, player_ids, times, bodies, fingerprints, reporters, request_ids,
            matchings, codes, bodies_if_unknown, fingerprints_if_unknown
        ) with ordinality as given (
            kind, event_id, player_id, occurred_at, body, fingerprint, reported_by, request_id,
            matching, code, body_if_unknown, fingerprint_if_unknown, place
        )
    ), known as (
        select given.*, code is null or exists (
            select from codes where codes.code = given.code
        ) as is_known from given
    ), added as (
        insert into facts
            (kind, event_id, player_id, occurred_at, body, fingerprint, door, reported_by,
             request_id, matching)
        select kind, event_id, player_id, occurred_at,
            cast(case when is_known then body else body_if_unknown end as jsonb),
            case when is_known then fingerprint else fingerprint_if_unknown end,
            :door, reported_by, request_id, cast(matching as jsonb)
        from known order by kind, event_id, place
        on conflict do nothing
        returning kind, event_id
    ), firsts as (
        select distinct on (kind, event_id) kind, event_id, player_id, place from given
        where ((kind, event_id) in (select kind, event_id from added)) is true
        order by kind, event_id, place
    ), routed as (
        insert into inbox (player_id, kind, event_id)
        select player_id, kind, event_id from firsts
        where :route and kind <> 'wager' order by place
    )
    select place, kind <> 'wager' or exists (
        select from staking_players as staking
        where staking.player_id = firsts.player_id and is_counted
    ) as is_routed from firsts
""")
RECORDED: Final = text("""
    select kind, event_id, fingerprint, body, matching from facts where (kind, event_id) in (
        select * from unnest(cast(:kinds as varchar[]), cast(:event_ids as varchar[]))
    )
""")
