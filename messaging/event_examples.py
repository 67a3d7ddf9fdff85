"""Example payloads of what is published, one of each type; the tests read every one of them."""

from typing import Any, Final

_TEN_DOLLARS: Final = {"minor": 1000, "currency": "USD"}
_REFERRAL_ID: Final = "5b0e4f2a-6f0e-4f4b-9a55-0d6f4f7f0b11"
_REFERRAL: Final = {
    "event_id": "0c9b4c0e-7a54-5d6e-8f7c-2f6f0b1d9a01",
    "schema_version": 2,
    "occurred_at": "2026-03-02T09:30:00+00:00",
    "referral_id": _REFERRAL_ID,
    "campaign": "default",
    "campaign_version": 1,
    "variant": None,
    "referrer_id": "player-1",
    "referee_id": "player-7",
    "reason_code": None,
    "reason": None,
}
_NO_DEBTS: Final = {"owed": None, "recovered": None, "spent": None}
_CAMPAIGN: Final = {
    "event_id": "7d1f0e57-31f2-5a86-9f5b-3b7f8a1c2e02",
    "schema_version": 2,
    "occurred_at": "2026-03-02T09:30:00+00:00",
    "referral_id": None,
    "campaign": "default",
    "stage": None,
}


def _stage(stage: str, reason_code: str | None = None, reason: str | None = None) -> dict[str, Any]:
    return _REFERRAL | {"stage": stage, "reason_code": reason_code, "reason": reason}


def _rewards(status: str, amount: dict[str, Any] = _TEN_DOLLARS) -> dict[str, Any]:
    reward = {
        "reward_id": "2a3d5c1e-3d8f-5b0a-8c6d-9e1f2a3b4c03",
        "reward_type": "referrer",
        "kind": "cash",
        "player_id": "player-1",
        "amount": amount,
        "status": status,
    }
    return {"rewards": [reward], **_NO_DEBTS}


_TAKEN_BACK: Final = ("deposit_taken_back", "the deposit was taken back")
_FOUR_DOLLARS: Final = {"minor": 400, "currency": "USD"}

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "ShareRecorded": _CAMPAIGN | {"code": "SAM-2026", "channel": "whatsapp"},
    "CodeClicked": _stage("INVITED") | {"referee_id": None, "code": "SAM-2026", "platform": "ios"},
    "ReferralInvited": _stage("INVITED") | {"referee_id": None},
    "ReferralSignedUp": _stage("SIGNED_UP"),
    "ReferralQualified": _stage("SIGNED_UP"),
    "RewardHeld": _stage("HELD", "hold_period", "in its hold period") | _rewards("HELD"),
    "RewardDeferred": _stage("DEFERRED", "funds", "the campaign's budget is used up")
    | _rewards("DEFERRED")
    | {"deferred_until": None},
    "RewardGranted": _stage("REWARDED") | _rewards("ISSUED"),
    "RewardVoided": _stage("VOIDED", *_TAKEN_BACK) | _rewards("VOID"),
    "RewardReversed": _stage("REVERSED", *_TAKEN_BACK)
    | _rewards("REVERSED")
    | {"owed": _FOUR_DOLLARS, "spent": _FOUR_DOLLARS},
    "RewardReinstated": _stage("REWARDED", "chargeback_won", "the chargeback was won")
    | _rewards("ISSUED"),
    "RewardAdjusted": _stage("REWARDED", *_TAKEN_BACK)
    | _NO_DEBTS
    | {
        "rewards": [
            reward | {"amount": _FOUR_DOLLARS, "amount_before": _TEN_DOLLARS}
            for reward in _rewards("ISSUED")["rewards"]
        ]
    },
    "ReferralExpired": _stage("EXPIRED", "no_signup", "no signup in time") | {"referee_id": None},
    "ReferralLost": _stage("LOST", "superseded", "superseded"),
    "ReferralRejected": _stage("REJECTED", "fraud", "fraud: same device") | _rewards("VOID"),
    "ReferralUnfunded": _stage("UNFUNDED", "campaign_ended", "the campaign ended without a budget")
    | _rewards("VOID"),
    "ReferralSettled": _stage("SETTLED", "chargeback_window_closed", "the window has closed")
    | _rewards("ISSUED"),
    "BudgetAlert": _CAMPAIGN
    | {
        "threshold": 80,
        "budget": {"minor": 10_000_000, "currency": "USD"},
        "left": {"minor": 2_000_000, "currency": "USD"},
    },
    "TaxThresholdAlert": {
        "event_id": "9a8b7c6d-5e4f-5a3b-8c2d-1e0f9a8b7c06",
        "schema_version": 2,
        "occurred_at": "2026-03-02T09:30:00+00:00",
        "player_id": "player-1",
        "tax_year": "2026-01-01",
        "threshold": 75,
        "total": {"minor": 46_000, "currency": "USD"},
        "limit": {"minor": 60_000, "currency": "USD"},
    },
    "WebhookDisabled": {
        "event_id": "4f2b7c9d-58a1-5e3c-b7d6-1c2d3e4f5a04",
        "schema_version": 2,
        "occurred_at": "2026-03-02T09:30:00+00:00",
        "webhook_id": "1f6b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c05",
        "failing_since": "2026-02-25T09:30:00+00:00",
        "reason_code": "failing",
        "reason": "it has answered nothing for days",
    },
    "Notification": {
        "notification_id": "6e5d4c3b-2a19-5f8e-9d7c-6b5a49382706",
        "player_id": "player-1",
        "referral_id": _REFERRAL_ID,
        "kind": "reward_granted",
        "locale": "en",
        "subject": "You have earned $10.00",
        "body": "Your friend has made a deposit: $10.00 is in your balance.",
        "amount": _TEN_DOLLARS,
        "bonus": None,
        "created_at": "2026-03-02T09:30:01+00:00",
    },
}


def example_of(type_: str) -> dict[str, Any]:
    """Return an example payload; a notification's has no type."""
    payload = EXAMPLES[type_]
    return payload if type_ == "Notification" else payload | {"type": type_}
