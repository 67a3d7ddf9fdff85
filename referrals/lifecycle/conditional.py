"""Referrals whose terms have a condition or ask for turnover: which facts make them look again."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from db.engine import Session
from db.tables import ReferralRow
from db.wakes import write_and_wake
from domain.intake.facts import Deposit, Fact, FactKind, PlayerStatus, Signup, StatusChange
from domain.rewards.qualification import qualification, without_rate
from referrals.campaigns.exchange.lookup import terms_with_rates
from referrals.campaigns.versions import has_currencies
from referrals.intake import facts
from referrals.lifecycle import deliveries
from referrals.lifecycle.circumstances import circumstances_of
from referrals.lifecycle.stages import terms_of

# A condition reads whether the referrer has deposited, so that only the first deposit counts. One
# statement however many friends wait: the player's row is locked for as long as it takes.
_WAKE_CONDITIONAL: Final = text("""
    with added as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select r.id, :kind, :event_id, :signal from referrals r
         where r.referrer_id = :player_id and r.stage = 'SIGNED_UP'
           and r.terms #>> '{rules,when}' like '%"referrer.%'
           and (cast(:knows_more as boolean) or cast(:deposits as bigint) >= (
                select count(*) from (select from facts f
                                       where f.player_id = :player_id and f.kind = 'deposit'
                                       limit cast(:deposits as bigint) + 1) as known))
         order by r.id
        on conflict do nothing
        returning id
    )
    select id from added limit 1
""")


async def qualifies_now(session: Session, row: ReferralRow) -> bool:
    """Return whether a deposit of a locked referral qualifies by all facts recorded now."""
    if row.referee_id is None or row.signed_up_at is None:
        return False
    terms = await terms_with_rates(session, row, terms_of(row))
    recorded = await facts.facts_of_player(
        session, row.referee_id, FactKind.DEPOSIT, FactKind.CHARGEBACK
    )
    if qualification(recorded, terms, signed_up_at=row.signed_up_at) is None:
        # Nothing beside its deposits, such as the turnover, need be read.
        return False
    found = qualification(
        recorded,
        terms,
        signed_up_at=row.signed_up_at,
        circumstances=await circumstances_of(session, row, terms),
    )
    return found is not None


async def lacks_rate(session: Session, row: ReferralRow) -> bool:
    """Return whether a deposit in time of a locked referral has no rate to be judged by.

    What was taken back of it does not matter: an act then ends the wait.
    """
    if not has_currencies(row.terms) or row.referee_id is None or row.signed_up_at is None:
        return False
    terms = await terms_with_rates(session, row, terms_of(row))
    deposits = await facts.facts_of_player(session, row.referee_id, FactKind.DEPOSIT)
    return bool(without_rate(deposits, terms, signed_up_at=row.signed_up_at))


async def wake_referees_of(session: Session, player_id: str, reported: Sequence[Fact]) -> None:
    """Let referrals of a referrer look again whose condition reads what was just reported."""
    signups_or_statuses = [fact for fact in reported if _tells_more(fact)]
    deposits = [fact for fact in reported if isinstance(fact, Deposit)]
    if not signups_or_statuses and not deposits:
        return
    latest = (signups_or_statuses or deposits)[-1]
    look = deliveries.of_circumstance("referrer", latest.event_id)
    values = {
        "player_id": player_id,
        "knows_more": bool(signups_or_statuses),
        "deposits": len(deposits),
        "kind": look.kind,
        "event_id": look.event_id,
        "signal": look.signal,
    }
    await write_and_wake(session, _WAKE_CONDITIONAL, values)


def _tells_more(fact: Fact) -> bool:
    is_verified = isinstance(fact, StatusChange) and fact.status is PlayerStatus.VERIFIED
    return is_verified or isinstance(fact, Signup)
