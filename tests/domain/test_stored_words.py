"""Words that rows and events hold: a word that changes orphans what is stored."""

from enum import StrEnum

import pytest

from domain.campaigns.rules import RewardType
from domain.campaigns.terms import CampaignStatus, LinkOpens
from domain.ledger.movements import Book, Movement
from domain.rewards.eligibility import Ineligibility
from domain.rewards.holds import HoldReason
from domain.rewards.reward import RewardStatus
from domain.wallet.orders import OrderKind, OrderStatus


@pytest.mark.parametrize(
    ("words", "stored"),
    [
        (CampaignStatus, "draft published paused ended"),
        (LinkOpens, "destination landing"),
        (Book, "funding campaign recoverable held available owed spent"),
        (
            Movement,
            "fund defund hold release void reverse owe recover reinstate forgive spend unspend",
        ),
        (Ineligibility, "self_excluded closed"),
        (HoldReason, "hold_period review ineligible funds payment_pending payment_refused"),
        (RewardStatus, "HELD ISSUED VOID REVERSED DEFERRED"),
        (RewardType, "referrer referee"),
        (OrderKind, "reward reversal reinstatement"),
        (OrderStatus, "pending posted refused cancelled"),
    ],
)
def test_words_that_are_stored_stay(words: type[StrEnum], stored: str) -> None:
    assert set(words) >= set(stored.split())
