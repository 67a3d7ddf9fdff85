"""Soft rules about the referrer, the code and the campaign: none holds a reward by itself."""

from typing import Final

from domain.fraud.predicates import at_most, inverse, is_fast, withdraws_soon
from domain.fraud.rule import Rule, Severity


def _share_above(part: int, whole: int, *, percent: int, at_least: int) -> bool | None:
    if whole < at_least:
        return None
    return part * 100 >= whole * percent


REFERRER_RULES: Final = (
    Rule(
        "reward_cashed_out",
        Severity.SOFT,
        8,
        lambda s, t: withdraws_soon(s.behaviour.credit_to_withdrawal_s, s, t.quick_withdrawal_s),
        "The referrer withdrew soon after an earlier reward.",
    ),
    Rule(
        "velocity_code",
        Severity.SOFT,
        2,
        is_fast("code"),
        "Many players signed up with one code in a short time.",
    ),
    Rule(
        "velocity_referrer",
        Severity.SOFT,
        3,
        is_fast("referrer"),
        "The referrer brought many players in a short time.",
    ),
    Rule(
        "velocity_campaign",
        Severity.SOFT,
        1,
        is_fast("campaign"),
        "The campaign has many signups in a short time.",
    ),
    Rule(
        "regular_spacing",
        Severity.SOFT,
        20,
        lambda s, t: at_most(s.referrer.spacing_variation_percent, t.regular_spacing_percent),
        "The referrer's referees signed up at regular intervals.",
    ),
    Rule(
        "flagged_referees",
        Severity.SOFT,
        24,
        lambda s, t: _share_above(
            s.referrer.flagged_referees,
            s.referrer.referees,
            percent=t.flagged_referees_percent,
            at_least=t.least_judged_referees,
        ),
        "Many of the referrer's referees were held or rejected.",
    ),
    Rule(
        "charged_back_referees",
        Severity.SOFT,
        16,
        lambda s, t: _share_above(
            s.referrer.charged_back + s.referrer.clawed_back,
            s.referrer.referees,
            percent=t.charged_back_percent,
            at_least=t.least_judged_referees,
        ),
        "Many of the referrer's rewards or referees' deposits were taken back.",
    ),
    Rule(
        "alike_deposits",
        Severity.SOFT,
        15,
        lambda s, t: _share_above(
            s.referrer.minimum_depositors,
            s.referrer.depositors,
            percent=t.alike_referees_percent,
            at_least=t.least_referees,
        ),
        "Nearly all of the referrer's referees deposited exactly the minimum.",
    ),
    Rule(
        "alike_withdrawals",
        Severity.SOFT,
        24,
        lambda s, t: _share_above(
            s.referrer.quick_withdrawers,
            s.referrer.depositors,
            percent=t.alike_withdrawals_percent,
            at_least=t.least_referees,
        ),
        "Many of the referrer's referees withdrew soon after the deposit.",
    ),
    Rule(
        "new_referrer",
        Severity.SOFT,
        2,
        lambda s, t: at_most(s.referrer.account_age_s, t.new_referrer_s),
        "The referrer's account is new.",
    ),
    Rule(
        "referrer_never_deposited",
        Severity.SOFT,
        8,
        lambda s, _: inverse(s.referrer.has_deposited),
        "The referrer has never deposited.",
    ),
)
