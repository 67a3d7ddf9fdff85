"""Types of events that a webhook asks for."""

import pytest

from domain.webhooks.event_types import EVENTS, is_asked_for


def test_knows_the_types_of_the_contract() -> None:
    named = (
        "ShareRecorded CodeClicked ReferralInvited ReferralSignedUp ReferralQualified RewardHeld"
        " RewardDeferred RewardGranted RewardVoided RewardReversed RewardReinstated RewardAdjusted"
        " ReferralExpired ReferralLost ReferralRejected ReferralUnfunded ReferralSettled"
        " BudgetAlert TaxThresholdAlert WebhookDisabled"
    )
    assert set(named.split()) == EVENTS


@pytest.mark.parametrize(
    ("type_", "types", "expected"),
    [
        ("RewardGranted", ["RewardGranted"], True),
        ("RewardVoided", ["RewardGranted"], False),
        ("RewardVoided", ["*"], True),
        ("TypeOfALaterRelease", ["*"], True),
        ("Notification", ["*"], False),
        ("Notification", ["*", "Notification"], True),
    ],
)
def test_asks_for_all_events_but_notifications_only_by_name(
    type_: str,
    types: list[str],
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert is_asked_for(type_, types) is expected
