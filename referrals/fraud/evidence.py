"""Fraud evidence: the values that the facts of a referral's players share."""

from typing import Final

from sqlalchemy import text

from db.engine import ReadSession
from domain.fraud.rules import Evidence

# Counts the players who share a value with the referee. Only the referrer and the referrer's other
# referees (the latest 500) are compared: a value shared with strangers says nothing of this pair.
_SHARED: Final = text("""
    with circle as (
        select cast(:referrer as varchar) as player_id
        union
        (select referee_id from referrals
         where referrer_id = cast(:referrer as text) and referee_id is not null
           and referee_id <> cast(:referee as text)
         order by invited_at desc limit 500)
    ), mine as (
        select array_agg(body ->> 'payment_instrument') as instruments,
               array_agg(body ->> 'device_id') as devices,
               array_agg(body ->> 'ip') as addresses,
               array_agg(body ->> 'email') as mailboxes,
               array_agg(body ->> 'phone') as phones,
               array_agg(body ->> 'kyc_subject') as identities
        from facts where player_id = cast(:referee as text) and kind in ('signup', 'deposit')
    ), theirs as (
        select facts.player_id, facts.body from facts join circle using (player_id)
        where facts.kind in ('signup', 'deposit') and facts.player_id <> cast(:referee as text)
    )
    select
        count(distinct player_id) filter (where body ->> 'payment_instrument' = any(instruments))
            as instruments,
        count(distinct player_id) filter (where body ->> 'device_id' = any(devices)) as devices,
        count(distinct player_id) filter (where body ->> 'ip' = any(addresses)) as addresses,
        count(distinct player_id) filter (where body ->> 'email' = any(mailboxes)
                                          or body ->> 'phone' = any(phones)) as contacts,
        count(distinct player_id) filter (where body ->> 'kyc_subject' = any(identities))
            as identities
    from theirs cross join mine
""")


async def load_evidence(session: ReadSession, *, referrer_id: str, referee_id: str) -> Evidence:
    """Return the recorded evidence about a pair; the caller adds the fraud providers' answers."""
    pair = {"referrer": referrer_id, "referee": referee_id}
    shared = (await session.execute(_SHARED, pair)).one()
    return Evidence(
        same_player=referrer_id == referee_id,
        same_identity=shared.identities > 0,
        shared_contacts=shared.contacts,
        shared_instruments=shared.instruments,
        shared_devices=shared.devices,
        shared_addresses=shared.addresses,
    )
