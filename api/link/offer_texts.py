"""Texts of an offer, for the player who shares a code and for the person who follows it."""

from collections.abc import Iterator
from typing import NamedTuple

from babel.lists import format_list

from api.link.offer_rules import rule_sentences
from domain.campaigns.amounts.amount import Flat
from domain.campaigns.amounts.computation import least_of
from domain.campaigns.rules import QualifyingAction, RewardType
from domain.campaigns.terms import Terms
from domain.money import RewardKind
from referrals.localisation.formats import format_duration, format_money, format_percentage
from referrals.localisation.languages import ENGLISH, Language


class _Headlines(NamedTuple):
    """Headlines by who gets a reward: the reader, the other player, or both."""

    reader: str
    other: str
    both: str


def referrer_headline(terms: Terms, language: Language = ENGLISH) -> str:
    """Return the promise of the offer for the player who shares the code."""
    gettext = language.gettext
    if terms.minimum_deposit.minor:
        texts = _Headlines(
            gettext("%(yours)s for you when your friend deposits %(minimum)s or more"),
            gettext("%(theirs)s for your friend when your friend deposits %(minimum)s or more"),
            gettext(
                "%(yours)s for you and %(theirs)s for your friend"
                " when your friend deposits %(minimum)s or more"
            ),
        )
    else:
        texts = _Headlines(
            gettext("%(yours)s for you when your friend makes a deposit"),
            gettext("%(theirs)s for your friend when your friend makes a deposit"),
            gettext(
                "%(yours)s for you and %(theirs)s for your friend when your friend makes a deposit"
            ),
        )
    return _headline(texts, terms, language, RewardType.REFERRER, RewardType.REFEREE)


def referee_headline(terms: Terms, language: Language = ENGLISH) -> str:
    """Return the promise of the offer for the person who follows the code."""
    gettext = language.gettext
    if terms.minimum_deposit.minor:
        texts = _Headlines(
            gettext("%(yours)s for you when you deposit %(minimum)s or more"),
            gettext("%(theirs)s for your friend when you deposit %(minimum)s or more"),
            gettext(
                "%(yours)s for you and %(theirs)s for your friend"
                " when you deposit %(minimum)s or more"
            ),
        )
    else:
        texts = _Headlines(
            gettext("%(yours)s for you when you make a deposit"),
            gettext("%(theirs)s for your friend when you make a deposit"),
            gettext("%(yours)s for you and %(theirs)s for your friend when you make a deposit"),
        )
    return _headline(texts, terms, language, RewardType.REFEREE, RewardType.REFERRER)


def referrer_terms(
    terms: Terms, language: Language = ENGLISH, *, terms_url: str | None = None
) -> str:
    """Return the terms for the player who shares the code."""
    sentences = (
        _signing_up(terms, language) % _term_values(terms, language),
        *rule_sentences(terms, language, terms_url=terms_url),
        *_reward_sentences(terms, language),
    )
    return " ".join(sentences)


def referee_terms(terms: Terms, language: Language = ENGLISH) -> tuple[str, ...]:
    """Return the terms, one sentence each, for the person who follows the code."""
    gettext = language.gettext
    values = _term_values(terms, language)
    return (
        gettext("Sign up within %(signup)s of opening this link.") % values,
        _depositing(terms, language) % values,
        *rule_sentences(terms, language),
        *_reward_sentences(terms, language),
        gettext(
            "Only for new players, once per person, and as long as the budget of the offer lasts."
        ),
    )


def _headline(
    texts: _Headlines, terms: Terms, language: Language, reader: RewardType, other: RewardType
) -> str:
    promised = _promised(terms, language)
    text = texts.both
    if other not in promised:
        text = texts.reader
    elif reader not in promised:
        text = texts.other
    return text % {
        "minimum": format_money(terms.minimum_deposit, language),
        "yours": promised.get(reader),
        "theirs": promised.get(other),
    }


def _signing_up(terms: Terms, language: Language) -> str:
    gettext = language.gettext
    if not terms.minimum_deposit.minor:
        return gettext(
            "Your friend signs up within %(signup)s of following your link"
            " and makes a deposit in %(currencies)s within %(deposit)s of signing up."
        )
    if terms.rules.on is QualifyingAction.TOTAL_DEPOSITS:
        return gettext(
            "Your friend signs up within %(signup)s of following your link"
            " and deposits at least %(minimum)s in total within %(deposit)s of signing up."
        )
    return gettext(
        "Your friend signs up within %(signup)s of following your link"
        " and deposits at least %(minimum)s within %(deposit)s of signing up."
    )


def _depositing(terms: Terms, language: Language) -> str:
    gettext = language.gettext
    if not terms.minimum_deposit.minor:
        return gettext("Make a deposit in %(currencies)s within %(deposit)s of signing up.")
    if terms.rules.on is QualifyingAction.TOTAL_DEPOSITS:
        return gettext("Deposit at least %(minimum)s in total within %(deposit)s of signing up.")
    return gettext("Deposit at least %(minimum)s within %(deposit)s of signing up.")


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
    currencies = [terms.minimum_deposit.currency, *terms.rules.currencies]
    return {
        "currencies": format_list(currencies, style="or", locale=language.locale),
        "minimum": format_money(terms.minimum_deposit, language),
        "signup": format_duration(terms.signup_window, language),
        "deposit": format_duration(terms.deposit_window, language),
        "hold": format_duration(terms.hold_period, language),
        "chargeback": format_duration(terms.chargeback_window, language),
    }
