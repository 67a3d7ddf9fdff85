"""Deposits that do not qualify: what a referral still waits for, and what it can never get."""

from activities import crediting
from activities.locked_referrals import LockedReferral
from activities.unrated import wait_for_rate
from domain.campaigns.rules import QualifyingAction
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Standing


async def end_undecidable(locked: LockedReferral) -> Standing:
    """Reject a referral whose very first deposit decides, and was too small; else change nothing.

    One whose deposit has no exchange rate waits for that first.
    What was taken back of it does not matter: that may be given back.
    """
    if waiting := await wait_for_rate(locked):
        return waiting
    if locked.terms.rules.on is not QualifyingAction.FIRST_DEPOSIT:
        return locked.standing
    return await crediting.reject_first_deposit(locked) or locked.standing


async def reason_of_waiting(locked: LockedReferral) -> tuple[ReasonCode, str]:
    """Return why no deposit qualifies, and the path of a condition that is not met."""
    if not locked.terms.rules.ask_circumstances or (judge := await locked.judge()) is None:
        return ReasonCode.NO_DEPOSIT, ""
    shortfalls = (judge.shortfall(found) for found in judge.candidates())
    missing = next((one for one in shortfalls if one is not None), None)
    if missing is None:
        return ReasonCode.NO_DEPOSIT, ""
    if missing.path is None:
        return ReasonCode.TURNOVER_NOT_REACHED, ""
    return ReasonCode.CONDITION_NOT_MET, missing.path
