"""Rules of campaigns in words: amounts, conditions and limits as a marketer says them."""

from collections.abc import Mapping
from typing import Final

from api.console.formats import show_money
from domain.campaigns.amounts.amount import (
    ANYWHERE,
    Amount,
    ByJurisdiction,
    Flat,
    Percent,
    Tier,
    Tiered,
)
from domain.campaigns.limits.decision import Limit, LimitOf, Over
from domain.campaigns.limits.periods import Per
from domain.campaigns.rules import QualifyingAction, RewardRule
from domain.campaigns.terms import Terms
from domain.campaigns.variants import Variant, terms_of_variant
from domain.money import RewardKind
from referrals.campaigns.wording.condition_words import ConditionWording, Words
from referrals.localisation.formats import format_duration, format_percentage
from referrals.localisation.languages import ENGLISH

_PERIODS: Final[Mapping[Per, str]] = {
    Per.DAY: "a day",
    Per.WEEK: "a week",
    Per.MONTH: "a month",
    Per.TAX_YEAR: "a tax year",
    Per.CAMPAIGN: "in the whole campaign",
}
CONDITIONS: Final = ConditionWording(ENGLISH, cents="always")
"""Words of conditions, with sums written as everywhere in the console."""
_OF: Final = {LimitOf.REFERRER: "A referrer gets", LimitOf.CAMPAIGN: "The campaign pays"}


def rewards_in_words(terms: Terms) -> list[tuple[str, Words]]:
    """Return who gets what; empty only where nobody gets anything."""
    base = _base_of(terms)
    if terms.rules.rewards:
        return [
            (_side(rule), amount_in_words(rule.amount, base=base)) for rule in terms.rules.rewards
        ]
    flat = (("To the referrer", terms.referrer_reward), ("To the referee", terms.referee_reward))
    return [(side, Words(show_money(money))) for side, money in flat if money and money.minor]


def variant_in_words(terms: Terms, variant: Variant) -> str:
    """Return a variant's share, and who gets what by it."""
    share = f"{format_percentage(variant.weight * 100)} of the referrers"
    found = rewards_in_words(terms_of_variant(terms, variant))
    return "; ".join([share, *(f"{side.lower()}: {words}" for side, words in found)])


def amount_in_words(amount: Amount, *, base: str) -> Words:
    match amount:
        case Flat(money):
            return Words(show_money(money))
        case Percent():
            return Words(_percent(amount, base))
        case Tiered(tiers):
            return Words("By the number of rewarded friends", _tiers(tiers, base))
        case ByJurisdiction(amounts):
            heading = "By the place of the referee's signup"
            return Words(heading, tuple(_local(code, one, base) for code, one in amounts))


def qualifies_in_words(terms: Terms) -> list[Words]:
    """Return what the referee has to do."""
    least, within = show_money(terms.minimum_deposit), format_duration(terms.deposit_window)
    if terms.minimum_deposit.minor:
        does = {
            QualifyingAction.ANY_DEPOSIT: f"A deposit of at least {least}",
            QualifyingAction.FIRST_DEPOSIT: f"The very first deposit, of at least {least}",
            QualifyingAction.TOTAL_DEPOSITS: f"Deposits of at least {least} together",
        }[terms.rules.on]
    else:
        first = terms.rules.on is QualifyingAction.FIRST_DEPOSIT
        does = "The very first deposit, however small" if first else "A deposit, however small"
    found = [Words(f"{does}, within {within} of the signup")]
    if terms.rules.turnover:
        found.append(Words(f"Settled stakes of {show_money(terms.rules.turnover)} meanwhile"))
    return found


def limit_in_words(limit: Limit) -> str:
    parts = []
    if limit.rewards is not None:
        parts.append(f"{limit.rewards} {'reward' if limit.rewards == 1 else 'rewards'}")
    if limit.amount is not None:
        parts.append(show_money(limit.amount))
    after = "is refused"
    if limit.over is Over.DEFER:
        ends = limit.per is Per.CAMPAIGN
        after = "waits for a larger limit" if ends else "waits for the next period"
    return f"{_OF[limit.of]} at most {' and '.join(parts)} {_PERIODS[limit.per]}; more {after}"


def _side(rule: RewardRule) -> str:
    """Return to whom a reward goes and as what: one side may get one of each kind."""
    kind = "" if rule.kind is RewardKind.CASH else f", as a {rule.kind.replace('_', ' ')}"
    return f"To the {rule.to}{kind}"


def _base_of(terms: Terms) -> str:
    is_sum = terms.rules.on is QualifyingAction.TOTAL_DEPOSITS
    return "the deposits together" if is_sum else "the qualifying deposit"


def _percent(amount: Percent, base: str) -> str:
    text = f"{format_percentage(amount.hundredths)} of {base}"
    if amount.minimum:
        text += f", at least {show_money(amount.minimum)}"
    if amount.maximum:
        text += f", at most {show_money(amount.maximum)}"
    return text


def _tiers(tiers: tuple[Tier, ...], base: str) -> tuple[Words, ...]:
    """Return each tier with the friends that it counts for."""
    ends = [*(tier.first - 1 for tier in tiers[1:]), None]
    return tuple(
        Words(f"{_span(tier.first, last)}: {amount_in_words(tier.amount, base=base)}")
        for tier, last in zip(tiers, ends, strict=True)
    )


def _span(first: int, last: int | None) -> str:
    if last is None:
        return f"From friend {first} on"
    return f"Friend {first}" if first == last else f"Friends {first} to {last}"


def _local(code: str, amount: Flat | Percent | Tiered, base: str) -> Words:
    words = amount_in_words(amount, base=base)
    place = "Anywhere else" if code == ANYWHERE else code
    return Words(f"{place}: {words.text}", words.parts)
