"""Texts of an offer, for the player who shares a code and for the person who follows it."""

from collections.abc import Iterator

from domain.campaigns.amounts.amount import Flat
from domain.campaigns.amounts.computation import least_of
from domain.campaigns.rules import RewardType
from domain.campaigns.terms import Terms
from domain.money import RewardKind
from referrals.localisation.formats import format_duration, format_money, format_percentage
from referrals.localisation.languages import ENGLISH, Language


def referrer_headline(terms: Terms, language: Language = ENGLISH) -> str:
    """Return the promise of the offer for the player who shares the code."""
    gettext, promised = language.gettext, _promised(terms, language)
    if RewardType.REFEREE not in promised:
        text = gettext("%(yours)s for you when your friend deposits %(minimum)s or more")
    elif RewardType.REFERRER not in promised:
        text = gettext("%(theirs)s for your friend when your friend deposits %(minimum)s or more")
    else:
        text = gettext(
            "%(yours)s for you and %(theirs)s for your friend"
            " when your friend deposits %(minimum)s or more"
        )
    return text % {
        "minimum": format_money(terms.minimum_deposit, language),
        "yours": promised.get(RewardType.REFERRER),
        "theirs": promised.get(RewardType.REFEREE),
    }


def referee_headline(terms: Terms, language: Language = ENGLISH) -> str:
    """Return the promise of the offer for the person who follows the code."""
    gettext, promised = language.gettext, _promised(terms, language)
    if RewardType.REFEREE not in promised:
        text = gettext("%(theirs)s for your friend when you deposit %(minimum)s or more")
    elif RewardType.REFERRER not in promised:
        text = gettext("%(yours)s for you when you deposit %(minimum)s or more")
    else:
        text = gettext(
            "%(yours)s for you and %(theirs)s for your friend when you deposit %(minimum)s or more"
        )
    return text % {
        "minimum": format_money(terms.minimum_deposit, language),
        "yours": promised.get(RewardType.REFEREE),
        "theirs": promised.get(RewardType.REFERRER),
    }


def referrer_terms(terms: Terms, language: Language = ENGLISH) -> str:
    """Return the terms for the player who shares the code."""
    gettext = language.gettext
    signing_up = gettext(
        "Your friend signs up within %(signup)s of following your link"
        " and deposits at least %(minimum)s within %(deposit)s of signing up."
    )
    return " ".join(
        (signing_up % _term_values(terms, language), *_reward_sentences(terms, language))
    )


def referee_terms(terms: Terms, language: Language = ENGLISH) -> tuple[str, ...]:
    """Return the terms, one sentence each, for the person who follows the code."""
    gettext = language.gettext
    values = _term_values(terms, language)
    return (
        gettext("Sign up within %(signup)s of opening this link.") % values,
        gettext("Deposit at least %(minimum)s within %(deposit)s of signing up.") % values,
        *_reward_sentences(terms, language),
        gettext(
            "Only for new players, once per person, and as long as the budget of the offer lasts."
        ),
    )


def _reward_sentences(terms: Terms, language: Language) -> Iterator[str]:
    gettext = language.gettext
    values = _term_values(terms, language)
    reversal = gettext(
        "The reward is taken back if the deposit is refunded or charged back within %(chargeback)s."
    )
    if terms.hold_period:
        yield gettext("The reward is credited %(hold)s after that.") % values
        reversal = gettext(
            "It is taken back if the deposit is refunded or charged back within %(chargeback)s."
        )
    yield reversal % values


def _promised(terms: Terms, language: Language) -> dict[RewardType, str]:
    """Return what each side is paid at least, of each kind; a percentage is of the deposit."""
    flat = {RewardType.REFERRER: terms.referrer_reward, RewardType.REFEREE: terms.referee_reward}
    texts = {
        side: format_money(money, language) for side, money in flat.items() if money and money.minor
    }
    for rule in terms.rules.rewards:
        least = least_of(rule.amount)
        text = (
            format_money(least.money, language)
            if isinstance(least, Flat)
            else format_percentage(least.hundredths, language)
        )
        if rule.kind is RewardKind.BONUS_BET:
            text = language.gettext("%(amount)s in bonus bets") % {"amount": text}
        texts[rule.to] = f"{texts[rule.to]} + {text}" if rule.to in texts else text
    return texts


def _term_values(terms: Terms, language: Language) -> dict[str, str]:
    return {
        "minimum": format_money(terms.minimum_deposit, language),
        "signup": format_duration(terms.signup_window, language),
        "deposit": format_duration(terms.deposit_window, language),
        "hold": format_duration(terms.hold_period, language),
        "chargeback": format_duration(terms.chargeback_window, language),
    }
