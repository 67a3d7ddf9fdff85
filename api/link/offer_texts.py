"""Texts of an offer, for the player who shares a code and for the person who follows it."""

from collections.abc import Iterator

from domain.campaigns.terms import Terms
from domain.money import Money
from referrals.localisation.formats import format_duration, format_money
from referrals.localisation.languages import ENGLISH, Language


def referrer_headline(terms: Terms, language: Language = ENGLISH) -> str:
    """Return the promise of the offer for the player who shares the code."""
    gettext = language.gettext
    if not _is_paid(terms.referee_reward):
        text = gettext("%(yours)s for you when your friend deposits %(minimum)s or more")
    elif not _is_paid(terms.referrer_reward):
        text = gettext("%(theirs)s for your friend when your friend deposits %(minimum)s or more")
    else:
        text = gettext(
            "%(yours)s for you and %(theirs)s for your friend"
            " when your friend deposits %(minimum)s or more"
        )
    return text % _amounts(
        terms, language, yours=terms.referrer_reward, theirs=terms.referee_reward
    )


def referee_headline(terms: Terms, language: Language = ENGLISH) -> str:
    """Return the promise of the offer for the person who follows the code."""
    gettext = language.gettext
    if not _is_paid(terms.referee_reward):
        text = gettext("%(theirs)s for your friend when you deposit %(minimum)s or more")
    elif not _is_paid(terms.referrer_reward):
        text = gettext("%(yours)s for you when you deposit %(minimum)s or more")
    else:
        text = gettext(
            "%(yours)s for you and %(theirs)s for your friend when you deposit %(minimum)s or more"
        )
    return text % _amounts(
        terms, language, yours=terms.referee_reward, theirs=terms.referrer_reward
    )


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


def _is_paid(reward: Money | None) -> bool:
    return reward is not None and reward.minor > 0


def _amounts(terms: Terms, language: Language, **rewards: Money | None) -> dict[str, str]:
    amounts = {"minimum": terms.minimum_deposit, **rewards}
    return {k: format_money(money, language) for k, money in amounts.items() if money}


def _term_values(terms: Terms, language: Language) -> dict[str, str]:
    return {
        "minimum": format_money(terms.minimum_deposit, language),
        "signup": format_duration(terms.signup_window, language),
        "deposit": format_duration(terms.deposit_window, language),
        "hold": format_duration(terms.hold_period, language),
        "chargeback": format_duration(terms.chargeback_window, language),
    }
