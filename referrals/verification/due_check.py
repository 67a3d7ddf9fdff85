"""The check that what stands credited is what is due: missed reversals and reinstatements."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from db.engine import ReadSession
from domain.campaigns.amounts.reading import write_amount
from domain.campaigns.rules import RewardKey, RewardType
from domain.campaigns.terms import Terms
from domain.intake.facts import Chargeback, Deposit
from domain.jurisdictions import canonical
from domain.lifecycle.referral import CREDITED_STAGES
from domain.money import Money, RewardKind
from domain.rewards.computed import Frozen, compute_rewards, frozen_of, write_computation
from domain.rewards.due import due
from domain.rewards.qualification import Qualification, qualification, qualification_of
from referrals.campaigns.exchange.lookup import terms_of_page
from referrals.verification.invariant import Scope, is_settled, sql_list
from referrals.verification.money_facts import pages

# A referral on whose way something still is will be adjusted when that arrives: it is lag.
_CREDITED: Final = f"""
    select r.id, r.stage, r.terms, r.referee_id, r.signed_up_at, r.awaits_funds, r.qualified_by,
           r.invited_at,
           array(select f.event_id from qualification_facts f
                  where f.qualification_id = (select q.id from qualifications q
                                               where q.referral_id = r.id
                                               order by q.attempt desc limit 1)) as attempt_facts,
           exists (select from clawbacks where referral_id = r.id) as is_clawed_back,
           (select f.body ->> 'jurisdiction' from facts f
             where f.kind = 'signup' and f.event_id = r.signup_event_id) as jurisdiction
      from referrals r
     where r.stage in ({sql_list(CREDITED_STAGES)}) and r.id > :after and $referrals(r.id)
       and {is_settled("r")}
"""
_CREDITED_MINOR: Final = text("""
    select w.referral_id, w.reward_type, coalesce(w.kind, 'cash') as kind, w.computation,
           coalesce(sum(case when t.movement in ('release', 'reinstate', 'forgive')
                             then t.amount_minor
                             when t.movement in ('reverse', 'owe') then -t.amount_minor end), 0)
           as minor
      from rewards w left join transfers t on t.reward_id = w.id
     where w.referral_id = any(:referrals)
     group by w.id
""")


async def find_undue(session: ReadSession, scope: Scope) -> list[str]:
    """Return the ids of referrals whose credited rewards are not what is due."""
    found: list[str] = []
    async for page, known in pages(session, _CREDITED, scope):
        credited = await _credited(session, [row.id for row in page])
        terms = await terms_of_page(session, page)
        found += [
            str(row.id)
            for row in page
            if not _stands_as_due(row, terms[row.id], known[row.referee_id], credited[row.id])
        ]
    return found


@dataclass(frozen=True, slots=True)
class _Credited:
    """Credit that stands of one reward, and the stored record of how its amount was found."""

    minor: int
    computation: Mapping[str, Any] | None


async def _credited(
    session: ReadSession, referral_ids: Sequence[UUID]
) -> Mapping[UUID, Mapping[RewardKey, _Credited]]:
    by_referral: dict[UUID, dict[RewardKey, _Credited]] = defaultdict(dict)
    for row in await session.execute(_CREDITED_MINOR, {"referrals": referral_ids}):
        one = _Credited(int(row.minor), row.computation)
        by_referral[row.referral_id][
            RewardKey(RewardType(row.reward_type), RewardKind(row.kind))
        ] = one
    return by_referral


def _stands_as_due(
    row: Row[Any],
    terms: Terms,
    known: Sequence[Deposit | Chargeback],
    credited: Mapping[RewardKey, _Credited],
) -> bool:
    stored = [one.computation for one in credited.values() if one.computation is not None]
    frozen = frozen_of(stored[0]) if stored else None
    if not _is_earned(row, terms, known, frozen):
        return False
    found = None if row.is_clawed_back else qualification_of(_frozen_facts(row), known)
    amounts = _amounts(found, terms, frozen, credited)
    is_due = any(amount.minor for amount in amounts.values())
    if not _is_of_terms(terms, credited, found if is_due else None, frozen):
        return False
    none = _Credited(0, None)
    more = [amounts[side].minor - credited.get(side, none).minor for side in amounts]
    # What is due again, or has risen, waits for the budget, a player or the wallet.
    return min(more, default=0) >= 0 and (row.awaits_funds or not any(more))


def _is_earned(
    row: Row[Any],
    terms: Terms,
    known: Sequence[Deposit | Chargeback],
    frozen: Frozen | None,
) -> bool:
    """Return whether the facts earned the rewards: in time, at its rates, and at its place."""
    if any(table.as_of > row.invited_at for _, table in terms.rules.rate_tables):
        return False
    if frozen is not None and not _is_same_place(frozen.jurisdiction, row.jurisdiction):
        return False
    rests_on = _frozen_facts(row)
    deposits = [f for f in known if isinstance(f, Deposit) and f.event_id in rests_on]
    return qualification(deposits, terms, signed_up_at=row.signed_up_at) is not None


def _is_same_place(frozen: str | None, told: str | None) -> bool:
    """Return whether an amount was found by the signup's place, in its spelling or the terms'."""
    return frozen == told or canonical(frozen or "") == canonical(told or "")


def _amounts(
    found: Qualification | None,
    terms: Terms,
    frozen: Frozen | None,
    credited: Mapping[RewardKey, _Credited],
) -> Mapping[RewardKey, Money]:
    """Return what is due; a side that came to nothing when the rewards were written has none."""
    amounts = due(found, terms, frozen)
    if not terms.rules.rewards:
        return amounts
    return {side: amount for side, amount in amounts.items() if side in credited}


def _is_of_terms(
    terms: Terms,
    credited: Mapping[RewardKey, _Credited],
    found: Qualification | None,
    frozen: Frozen | None,
) -> bool:
    """Return whether each record of a computation is the one that the terms and facts give.

    Of a reward that is not due any more the record stays as it was: only its terms are compared.
    """
    stored = {side: one.computation for side, one in credited.items()}
    if not terms.rules.rewards:
        return all(one is None for one in stored.values())
    if found is None or frozen is None:
        specified = {rule.key: write_amount(rule.amount) for rule in terms.rules.rewards}
        return all(
            one is not None and one["amount"] == specified.get(side) for side, one in stored.items()
        )
    computed = compute_rewards(terms, found.left, frozen)
    return all(one == write_computation(computed[side]) for side, one in stored.items())


def _frozen_facts(row: Row[Any]) -> Collection[str]:
    """Return the deposits that the credited rewards rest on; before 0.3 that was one."""
    return row.attempt_facts if row.qualified_by in row.attempt_facts else (row.qualified_by,)
