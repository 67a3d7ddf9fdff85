"""Rules of terms in the words that players read: none that can cost a reward is left out."""

import re
from collections.abc import Mapping
from dataclasses import fields
from itertools import product
from typing import Any, Final, get_args

import pytest

from api.link.languages import LANGUAGES
from api.link.offer_texts import referee_headline, referee_terms, referrer_headline, referrer_terms
from api.v1.campaigns.files import read_file
from api.v1.schemas.campaigns import CampaignIn
from api.v1.schemas.terms import TermsIn
from domain.campaigns.amounts.amount import Amount, ByJurisdiction, Flat, Percent, Tier, Tiered
from domain.campaigns.limits.decision import Limit, LimitOf, Over
from domain.campaigns.limits.periods import Per
from domain.campaigns.rules import QualifyingAction, RewardRule, Rules
from domain.campaigns.terms import Terms
from domain.money import RewardKind
from referrals.localisation.languages import Language
from tests import ROOT

PLAIN: Final[Mapping[str, Any]] = {"referrer_reward": {"minor": 1000, "currency": "USD"}}
FLAT: Final = {"flat": {"minor": 1000, "currency": "USD"}}
FIVE, NINE = ({"minor": minor, "currency": "USD"} for minor in (500, 900))
TEN_EUROS: Final = {"minor": 1000, "currency": "EUR"}
LEAF: Final = {"field": "deposit.method", "op": "ne", "value": "voucher"}
LIMIT: Final = {"of": "referrer", "per": "month", "rewards": 10}


def paying(amount: Mapping[str, Any]) -> dict[str, Any]:
    return {"referrer_reward": None, "rewards": [{"to": "referrer", "amount": amount}]}


RULES: Final[tuple[tuple[str, Mapping[str, Any], str], ...]] = (
    ("signup_window", {"signup_window": "P11D"}, "within 11 days of following"),
    ("deposit_window", {"deposit_window": "P12D"}, "within 12 days of signing up"),
    ("hold_period", {"hold_period": "P13D"}, "credited 13 days after that"),
    ("chargeback_window", {"chargeback_window": "P14D"}, "charged back within 14 days"),
    ("minimum_deposit", {"minimum_deposit": NINE}, "deposits at least $9 within"),
    ("qualifies", {"qualifies": {"on": "first_deposit"}}, "Only the very first deposit counts."),
    ("qualifies", {"qualifies": {"on": "total_deposits"}}, "at least $10 in total within"),
    ("qualifies", {"qualifies": {"turnover": NINE}}, "At least $9 must also be staked"),
    ("when", {"when": LEAF}, "Further conditions apply."),
    ("rewards", paying({"percent": "10"}), "A percentage is of the deposit that counts."),
    ("rewards", paying({"percent": "10", "minimum": FIVE}), "A reward of 10% is at least $5."),
    ("rewards", paying({"percent": "10", "maximum": NINE}), "A reward of 10% is at most $9."),
    (
        "rewards",
        paying({"tiers": [{"from": 1, **FLAT}, {"from": 5, "flat": FIVE}]}),
        "depends on how many friends",
    ),
    ("rewards", paying({"by_jurisdiction": {"US-NJ": FLAT}}), "some places have none."),
    (
        "rewards",
        paying({"by_jurisdiction": {"US-NJ": FLAT, "*": {"flat": FIVE}}}),
        "depends on the place of the signup.",
    ),
    ("limits", {"limits": [LIMIT]}, "gets at most 10 rewards a month. What exceeds that waits"),
    ("limits", {"limits": [LIMIT | {"rewards": 1}]}, "gets at most 1 reward a month."),
    ("limits", {"limits": [LIMIT | {"amount": NINE}]}, "at most 10 rewards and $9 a month."),
    ("limits", {"limits": [LIMIT | {"over": "refuse"}]}, "What exceeds that is not paid."),
    ("limits", {"limits": [LIMIT | {"of": "campaign"}]}, "All players together get at most 10"),
)
"""Fields of terms, a rule in each, and the words of it that the terms have."""
COSTS_NOTHING: Final = {
    "referrer_reward": "the headline says it",
    "referee_reward": "the headline says it",
    "review_period": "decides when a review is escalated, not how",
    "lateness_grace": "only lets an event arrive later",
    "reminders": "only sends messages",
    "requires": "a person decides where the evidence is missing",
}
"""Fields of terms that cost no player a reward."""


def terms_of(change: Mapping[str, Any], *, currency: str = "USD", **campaign: Any) -> Terms:  # noqa: ANN401 - any field
    given = {name: value for name, value in {**PLAIN, **change}.items() if value is not None}
    body = {
        "slug": "offer",
        "name": "Offer",
        "budget": {"minor": 500_000, "currency": currency},
        "terms": given,
        **campaign,
    }
    return CampaignIn.model_validate(body).to_draft().terms


def sentences_of(terms: Terms, language: Language) -> tuple[str, str]:
    return referrer_terms(terms, language), " ".join(referee_terms(terms, language))


@pytest.mark.parametrize(("field", "change", "said"), RULES)
def test_the_terms_of_a_code_mention_a_rule(
    field: str, change: Mapping[str, Any], said: str
) -> None:
    assert field in change
    assert said in referrer_terms(terms_of(change))


@pytest.mark.parametrize("change", [change for _, change, _ in RULES])
def test_both_players_read_a_rule_in_every_language(change: Mapping[str, Any]) -> None:
    plain, ruled = terms_of({}), terms_of(change)
    texts = [sentences_of(ruled, language) for language in LANGUAGES.values()]
    for language, ours in zip(LANGUAGES.values(), texts, strict=True):
        for before, after in zip(sentences_of(plain, language), ours, strict=True):
            assert before != after
    assert len(set(texts)) == len(LANGUAGES)


def test_every_field_of_terms_has_a_sentence_or_costs_nothing() -> None:
    said = {field for field, _, _ in RULES}
    assert said | COSTS_NOTHING.keys() == set(TermsIn.model_fields)
    inside = {"rules"}
    assert {field.name for field in fields(Terms)} - inside <= said | COSTS_NOTHING.keys()


def test_every_part_of_a_rule_is_known_to_the_sentences() -> None:
    known = {
        Rules: {"rewards", "on", "turnover", "when", "limits", "currencies"}
        # Looked up for one referral, and not a part of what is promised.
        | {"rate_tables", "paid_in"},
        RewardRule: {"to", "kind", "amount"},
        Flat: {"money"},
        Percent: {"hundredths", "minimum", "maximum"},
        Tier: {"first", "amount"},
        Tiered: {"tiers"},
        ByJurisdiction: {"amounts"},
        Limit: {"of", "per", "rewards", "amount", "over"},
    }
    assert set(get_args(Amount)) == {Flat, Percent, Tiered, ByJurisdiction}
    assert {kind: {one.name for one in fields(kind)} for kind in known} == known
    assert {action.value for action in QualifyingAction} == {
        "any_deposit",
        *(c["qualifies"]["on"] for _, c, _ in RULES if "on" in c.get("qualifies", {})),
    }
    assert set(RewardKind) == {RewardKind.CASH, RewardKind.BONUS_BET}


def test_every_limit_has_words_of_its_own() -> None:
    limits = list(product(LimitOf, Per, Over))
    texts = {
        referrer_terms(terms_of({"limits": [{"of": of, "per": per, "rewards": 3, "over": over}]}))
        for of, per, over in limits
    }
    # What exceeds a limit of the whole campaign is not paid, whether it waits for the end or not.
    assert len(texts) == len(limits) - len(LimitOf)


def test_further_conditions_lead_to_the_full_terms() -> None:
    text = referrer_terms(terms_of({"when": LEAF}), terms_url="https://book.example/terms")
    assert "Further conditions apply: https://book.example/terms" in text
    assert "Further" not in referrer_terms(terms_of({}), terms_url="https://book.example/terms")


def test_an_offer_without_a_minimum_promises_it_for_a_deposit() -> None:
    terms = terms_of({"referrer_reward": TEN_EUROS}, currency="EUR")
    assert referrer_headline(terms) == "€10 for you when your friend makes a deposit"
    assert referee_headline(terms) == "€10 for your friend when you make a deposit"
    assert "and makes a deposit in EUR within 30 days" in referrer_terms(terms)
    assert referee_terms(terms)[1] == "Make a deposit in EUR within 30 days of signing up."


@pytest.mark.parametrize("sides", [("referrer",), ("referee",), ("referrer", "referee")])
def test_an_offer_without_a_minimum_says_zero_in_no_language(sides: tuple[str, ...]) -> None:
    rewards = [{"to": side, "amount": {"flat": TEN_EUROS}} for side in sides]
    terms = terms_of({"referrer_reward": None, "rewards": rewards}, currency="EUR")
    for language in LANGUAGES.values():
        headlines = (referrer_headline(terms, language), referee_headline(terms, language))
        texts = (*headlines, *sentences_of(terms, language))
        assert not any(re.search(r"\b0\b", text) for text in texts)


def test_an_offer_without_a_minimum_names_each_currency_that_counts() -> None:
    further = [{"minor": 1000, "currency": "USD"}]
    terms = terms_of({"referrer_reward": TEN_EUROS}, currency="EUR", currencies=further)
    assert "makes a deposit in EUR or USD within" in referrer_terms(terms)


def test_the_weekend_offer_promises_what_it_asks_for() -> None:
    (body,) = read_file(ROOT / "docs/offers/weekend-percentage.yaml")
    assert referrer_terms(CampaignIn.model_validate(body).to_draft().terms) == (
        "Your friend signs up within 30 days of following your link and deposits at least $20"
        " within 14 days of signing up. At least $20 must also be staked and settled in that time."
        " A percentage is of the deposit that counts. A reward of 10% is at least $5 and at most"
        " $25. A reward of 15% is at least $5 and at most $40. The reward depends on how many"
        " friends were rewarded before. Each player who invites friends gets at most 10 rewards"
        " and $200 a month. What exceeds that waits for the next period. Further conditions apply."
        " The reward is credited 3 days after that. It is taken back if the deposit is refunded or"
        " charged back within 120 days."
    )
