"""The check that stages agree with the facts: acts that were missed before any money moved."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row

from db.engine import ReadSession
from domain.campaigns.conditions.tree import mentions
from domain.campaigns.terms import Terms
from domain.intake.facts import Chargeback, Deposit
from domain.lifecycle.referral import REOPEN_WINDOW, Stage
from domain.rewards.circumstances import Circumstances
from domain.rewards.qualification import qualification
from referrals.campaigns.exchange.lookup import terms_of_page
from referrals.lifecycle.circumstances import load_circumstances
from referrals.verification.invariant import Scope, is_settled
from referrals.verification.money_facts import pages

UNQUALIFIED_STAGES: Final = (Stage.SIGNED_UP, Stage.EXPIRED)
"""Stages that a deposit in time ends: it qualifies, or re-opens the referral."""

# What 0.2 left waiting has no attempt until its next act, and was chosen by other rules. While the
# wallet may still credit a reward, nothing else is decided.
_WAITING: Final = f"""
    select r.id, r.stage, r.terms, r.referee_id, r.signed_up_at, r.invited_at,
           array(select deposit_event_id from rewards where referral_id = r.id) as earned_by,
           array(select f.event_id from qualification_facts f
                  where f.qualification_id = (select q.id from qualifications q
                                               where q.referral_id = r.id
                                               order by q.attempt desc limit 1)) as resting_on
      from referrals r
     where r.id > :after and $referrals(r.id) and r.signed_up_at is not null
       and (r.stage in ('HELD', 'DEFERRED')
            and exists (select from qualifications where referral_id = r.id)
            and not exists (select from holds
                             where referral_id = r.id and cleared_at is null
                               and reason = 'payment_pending')
            or (r.stage = 'SIGNED_UP'
                or r.stage = 'EXPIRED'
                   and r.until + interval '{REOPEN_WINDOW.days} days' > :as_of)
            and exists (select from facts f
                         where f.player_id = r.referee_id and f.kind = 'deposit'))
       and {is_settled("r")}
"""


async def find_disagreeing(session: ReadSession, scope: Scope) -> list[str]:
    """Return the ids of referrals that wait, or EXPIRED, although the facts say otherwise."""
    disagreeing: list[str] = []
    async for page, known in pages(session, _WAITING, scope):
        terms = await terms_of_page(session, page)
        asking = {id_: one for id_, one in terms.items() if one.rules.ask_circumstances}
        circumstances = await load_circumstances(session, asking)
        disagreeing += [
            str(row.id)
            for row in page
            if not _agrees(row, terms[row.id], known[row.referee_id], circumstances.get(row.id))
        ]
    return disagreeing


def _agrees(
    row: Row[Any],
    terms: Terms,
    known: Sequence[Deposit | Chargeback],
    circumstances: Circumstances | None,
) -> bool:
    if row.stage in UNQUALIFIED_STAGES and _may_be_missed(terms):
        return True
    if row.stage not in UNQUALIFIED_STAGES:
        # Further deposits wake nobody meanwhile: they are looked at when the reward is credited.
        known = [
            fact
            for fact in known
            if not isinstance(fact, Deposit) or fact.event_id in row.resting_on
        ]
    found = qualification(known, terms, signed_up_at=row.signed_up_at, circumstances=circumstances)
    if row.stage in UNQUALIFIED_STAGES:
        return found is None
    return found is not None and {found.fact_ids[0]}.issuperset(row.earned_by)


def _may_be_missed(terms: Terms) -> bool:
    """Return whether a condition may come to hold without a fact of the pair that wakes anybody."""
    return terms.rules.when is not None and mentions(terms.rules.when, "referrer.rewarded")
