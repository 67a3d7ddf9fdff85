"""The table of all fraud rules, in the order in which assessments show them."""

from typing import Final

from domain.fraud.hard_rules import HARD_RULES
from domain.fraud.pair_rules import PAIR_RULES
from domain.fraud.referrer_rules import REFERRER_RULES
from domain.fraud.rule import Rule, Severity

NOTES: Final = (
    Rule(
        "shared_by_too_many",
        Severity.NOTE,
        0,
        lambda s, _: any(link.is_shared_by_too_many for link in s.links),
        "A value is shared by so many players that it links nobody who came later.",
    ),
    Rule(
        "more_stakes",
        Severity.NOTE,
        0,
        lambda s, _: s.behaviour.has_more_stakes,
        "The referee placed more bets than are compared with the referrer's.",
    ),
    Rule(
        "allowed",
        Severity.NOTE,
        0,
        lambda s, _: bool(s.lists.allow),
        "A value of the pair is on the allow list: soft rules weigh nothing.",
    ),
)
RULES: Final = (*HARD_RULES, *PAIR_RULES, *REFERRER_RULES, *NOTES)
RULES_BY_NAME: Final = {rule.name: rule for rule in RULES}
