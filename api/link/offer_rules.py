"""Sentences for the rules of an offer that can cost a player the reward, beside its minimum."""

from collections.abc import Callable, Iterator
from typing import Final

from babel.lists import format_list

from domain.campaigns.amounts.amount import (
    ANYWHERE,
    Amount,
    ByJurisdiction,
    Flat,
    Percent,
    Tiered,
)
from domain.campaigns.amounts.computation import least_of
from domain.campaigns.limits.decision import Limit, LimitOf, Over
from domain.campaigns.limits.periods import Per
from domain.campaigns.rules import QualifyingAction
from domain.campaigns.terms import Terms
from referrals.localisation.formats import format_money, format_percentage
from referrals.localisation.languages import ENGLISH, Language

Sentences = Callable[[Terms, Language], Iterator[str]]


def rule_sentences(
    terms: Terms, language: Language = ENGLISH, *, terms_url: str | None = None
) -> Iterator[str]:
    """Yield a sentence for each rule; all of them read the same for both players.

    A condition is not told, only that there is one, with the address of the full terms.
    """
    for sentences in _SENTENCES:
        yield from sentences(terms, language)
    if terms.rules.when is None:
        return
    if terms_url is None:
        yield language.gettext("Further conditions apply.")
    else:
        yield language.gettext("Further conditions apply: %(url)s") % {"url": terms_url}


def _qualifying(terms: Terms, language: Language) -> Iterator[str]:
    if terms.rules.on is QualifyingAction.FIRST_DEPOSIT:
        yield language.gettext("Only the very first deposit counts.")
    if terms.rules.turnover is not None:
        turnover = format_money(terms.rules.turnover, language)
        yield language.gettext(
            "At least %(turnover)s must also be staked and settled in that time."
        ) % {"turnover": turnover}


def _shares(terms: Terms, language: Language) -> Iterator[str]:
    found = [share for rule in terms.rules.rewards for share in _percents(rule.amount)]
    if not found:
        return
    if terms.rules.on is QualifyingAction.TOTAL_DEPOSITS:
        yield language.gettext("A percentage is of all deposits that count, together.")
    else:
        yield language.gettext("A percentage is of the deposit that counts.")
    yield from dict.fromkeys(text for share in found if (text := _bounds(share, language)))


def _percents(amount: Amount) -> Iterator[Percent]:
    match amount:
        case Percent():
            yield amount
        case Tiered(tiers):
            yield from (tier.amount for tier in tiers if isinstance(tier.amount, Percent))
        case ByJurisdiction():
            # As the headline, which promises the least of them; another sentence tells of places.
            yield from _percents(least_of(amount))
        case Flat():
            return


def _bounds(share: Percent, language: Language) -> str | None:
    gettext = language.gettext
    if share.minimum and share.maximum:
        text = gettext("A reward of %(share)s is at least %(minimum)s and at most %(maximum)s.")
    elif share.maximum:
        text = gettext("A reward of %(share)s is at most %(maximum)s.")
    elif share.minimum:
        text = gettext("A reward of %(share)s is at least %(minimum)s.")
    else:
        return None
    return text % {
        "share": format_percentage(share.hundredths, language),
        "minimum": share.minimum and format_money(share.minimum, language),
        "maximum": share.maximum and format_money(share.maximum, language),
    }


def _differences(terms: Terms, language: Language) -> Iterator[str]:
    """Yield what a reward depends on where the headline has the least amount of several."""
    amounts = [rule.amount for rule in terms.rules.rewards]
    places = [dict(amount.amounts) for amount in amounts if isinstance(amount, ByJurisdiction)]
    local = [one for amount in places for one in amount.values()]
    if any(isinstance(amount, Tiered) for amount in (*amounts, *local)):
        yield language.gettext("The reward depends on how many friends were rewarded before.")
    if any(ANYWHERE not in amount for amount in places):
        yield language.gettext(
            "The reward depends on the place of the signup, and some places have none."
        )
    elif places:
        yield language.gettext("The reward depends on the place of the signup.")


def _limits(terms: Terms, language: Language) -> Iterator[str]:
    for limit in terms.rules.limits:
        yield _limit(limit, language)
        yield _excess(limit, language)


def _limit(limit: Limit, language: Language) -> str:
    gettext = language.gettext
    text = {
        LimitOf.REFERRER: gettext(
            "Each player who invites friends gets at most %(most)s %(period)s."
        ),
        LimitOf.CAMPAIGN: gettext("All players together get at most %(most)s %(period)s."),
    }[limit.of]
    most = format_list(list(_most(limit, language)), locale=language.locale)
    return text % {"most": most, "period": _period(limit.per, language)}


def _excess(limit: Limit, language: Language) -> str:
    # The period of a whole campaign has no next one: what waits for its end is not paid either.
    if limit.over is Over.DEFER and limit.per is not Per.CAMPAIGN:
        return language.gettext("What exceeds that waits for the next period.")
    return language.gettext("What exceeds that is not paid.")


def _most(limit: Limit, language: Language) -> Iterator[str]:
    if limit.rewards is not None:
        text = language.ngettext("%(count)s reward", "%(count)s rewards", limit.rewards)
        yield text % {"count": limit.rewards}
    if limit.amount is not None:
        yield format_money(limit.amount, language)


def _period(per: Per, language: Language) -> str:
    gettext = language.gettext
    return {
        Per.DAY: gettext("a day"),
        Per.WEEK: gettext("a week"),
        Per.MONTH: gettext("a month"),
        Per.TAX_YEAR: gettext("a tax year"),
        Per.CAMPAIGN: gettext("in this offer"),
    }[per]


_SENTENCES: Final[tuple[Sentences, ...]] = (_qualifying, _shares, _differences, _limits)
