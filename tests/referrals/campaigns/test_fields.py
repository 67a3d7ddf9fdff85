"""Fields of a draft, by which versions and files are compared."""

from dataclasses import replace

from domain.campaigns.rules_json import parse_rules
from referrals.campaigns.trial_campaign import TRIAL
from referrals.campaigns.views import Draft

RULES = {
    "rewards": [
        {"to": "referrer", "kind": "cash", "amount": {"percent": "10", "minimum": None,
         "maximum": {"minor": 5000, "currency": "USD"}}}
    ],
    "on": "first_deposit",
    "turnover": {"minor": 2000, "currency": "USD"},
    "when": {"all": [{"field": "deposit.method", "op": "eq", "value": "card"}]},
    "limits": [
        {"of": "referrer", "per": "month", "rewards": 10, "amount": None, "over": "defer"}
    ],
}  # fmt: skip


def test_rules_are_named_as_in_the_body_of_a_campaign() -> None:
    rules = parse_rules(RULES, currency="USD")
    plain = TRIAL
    ruled: Draft = replace(plain, terms=replace(plain.terms, rules=rules))
    before, after = plain.fields(), ruled.fields()
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    assert changed == {
        "terms.qualifies.on": "first_deposit",
        "terms.qualifies.turnover.minor": 2000,
        "terms.qualifies.turnover.currency": "USD",
        "terms.rewards": RULES["rewards"],
        "terms.when": RULES["when"],
        "terms.limits": RULES["limits"],
    }
