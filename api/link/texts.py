"""An offer in words, for the people who share a code and those who follow it."""

from collections.abc import Iterator

from api.link.languages import ENGLISH, Language
from api.link.money_text import amount_in_words, length_in_words
from domain.campaigns.terms import Terms
from domain.money import Money


def headline(terms: Terms, language: Language = ENGLISH) -> str:
    """What the offer promises, said to the player who shares the code."""
    gettext = language.gettext
    if not _pays(terms.referee_reward):
        text = gettext("%(yours)s for you when your friend deposits %(minimum)s or more")
    elif not _pays(terms.referrer_reward):
        text = gettext("%(theirs)s for your friend when your friend deposits %(minimum)s or more")
    else:
        text = gettext(
            "%(yours)s for you and %(theirs)s for your friend"
            " when your friend deposits %(minimum)s or more"
        )
    return text % _amounts(
        terms, language, yours=terms.referrer_reward, theirs=terms.referee_reward
    )


def invitation(terms: Terms, language: Language = ENGLISH) -> str:
    """What the offer promises, said to whoever follows the code."""
    gettext = language.gettext
    if not _pays(terms.referee_reward):
        text = gettext("%(theirs)s for your friend when you deposit %(minimum)s or more")
    elif not _pays(terms.referrer_reward):
        text = gettext("%(yours)s for you when you deposit %(minimum)s or more")
    else:
        text = gettext(
            "%(yours)s for you and %(theirs)s for your friend when you deposit %(minimum)s or more"
        )
    return text % _amounts(
        terms, language, yours=terms.referee_reward, theirs=terms.referrer_reward
    )


def in_words(terms: Terms, language: Language = ENGLISH) -> str:
    """The terms, said to the player who shares the code."""
    gettext = language.gettext
    signing_up = gettext(
        "Your friend signs up within %(signup)s of following your link"
        " and deposits at least %(minimum)s within %(deposit)s of signing up."
    )
    return " ".join((signing_up % _limits(terms, language), *_rewarding(terms, language)))


def invitation_terms(terms: Terms, language: Language = ENGLISH) -> tuple[str, ...]:
    """The terms, a sentence each, said to whoever follows the code."""
    gettext = language.gettext
    limits = _limits(terms, language)
    return (
        gettext("Sign up within %(signup)s of opening this link.") % limits,
        gettext("Deposit at least %(minimum)s within %(deposit)s of signing up.") % limits,
        *_rewarding(terms, language),
        gettext(
            "Only for new players, once per person, and as long as the budget of the offer lasts."
        ),
    )


def _rewarding(terms: Terms, language: Language) -> Iterator[str]:
    gettext = language.gettext
    limits = _limits(terms, language)
    lost = gettext(
        "The reward is taken back if the deposit is refunded or charged back within %(chargeback)s."
    )
    if terms.hold_period:
        yield gettext("The reward is credited %(hold)s after that.") % limits
        lost = gettext(
            "It is taken back if the deposit is refunded or charged back within %(chargeback)s."
        )
    yield lost % limits


def _pays(reward: Money | None) -> bool:
    return reward is not None and reward.minor > 0


def _amounts(terms: Terms, language: Language, **rewards: Money | None) -> dict[str, str]:
    amounts = {"minimum": terms.minimum_deposit, **rewards}
    return {k: amount_in_words(money, language) for k, money in amounts.items() if money}


def _limits(terms: Terms, language: Language) -> dict[str, str]:
    return {
        "minimum": amount_in_words(terms.minimum_deposit, language),
        "signup": length_in_words(terms.signup_window, language),
        "deposit": length_in_words(terms.deposit_window, language),
        "hold": length_in_words(terms.hold_period, language),
        "chargeback": length_in_words(terms.chargeback_window, language),
    }
