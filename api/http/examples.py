"""Example bodies of the OpenAPI document; the tests send every one of them."""

from typing import Any, Final

_TEN_DOLLARS: Final = {"minor": 1000, "currency": "USD"}
_EVENT_FIELDS: Final = {"occurred_at": "2026-03-02T09:30:00Z", "player_id": "player-7"}

BODY_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "SignupIn": {
        "event_id": "signup-1",
        **_EVENT_FIELDS,
        "platform": "ios",
        "jurisdiction": "US-NJ",
        "currency": "USD",
        "code": "K7MPQ2XA",
        "email": "sam@mail.example",
        "device_id": "5f0c1b",
    },
    "DepositIn": {
        "event_id": "deposit-1",
        **_EVENT_FIELDS,
        "deposit_id": "d-1",
        "amount": _TEN_DOLLARS,
        "method": "card",
        "payment_instrument": "card-fingerprint-9",
    },
    "ChargebackIn": {
        "event_id": "chargeback-1",
        **_EVENT_FIELDS,
        "deposit_id": "d-1",
        "kind": "chargeback",
    },
    "WagerIn": {"event_id": "bet-1", **_EVENT_FIELDS, "stake": _TEN_DOLLARS},
    "StatusChangeIn": {"event_id": "status-1", **_EVENT_FIELDS, "status": "verified"},
    "CodeIn": {"player_id": "player-1", "campaign": "default", "vanity": "SAM-2026"},
    "ShareIn": {"code": "SAM-2026", "channel": "whatsapp"},
    "ClickIn": {"code": "SAM-2026", "visitor_id": "install-3", "platform": "android"},
    "ResolveIn": {
        "platform": "android",
        "install_referrer": "referral_token=AAECAwQFBgcICQoLDA0ODwAAAABpo9mAAg.signature",
        "referrer_click_timestamp_seconds": 1_772_443_800,
        "install_begin_timestamp_seconds": 1_772_443_812,
        "referrer_click_timestamp_server_seconds": 1_772_443_800,
        "install_begin_timestamp_server_seconds": 1_772_443_812,
        "install_version": "4.2.0",
        "device_id": "5f0c1b",
        "device_model": "Pixel 8",
        "os": "Android",
        "os_version": "15",
        "locale": "en-US",
        "time_zone": "America/New_York",
        "screen": "412x915",
        "ip": "203.0.113.7",
    },
    "ConfirmIn": {
        "referral_token": "AAECAwQFBgcICQoLDA0ODwAAAABpo9mABg.signature",
        "confirmed": True,
    },
    "ClaimIn": {"player_id": "player-2", "code": "SAM-2026"},
    "RebindIn": {
        "player_id": "player-2",
        "code": "SAM-2026",
        "reason": "the link was opened in another browser; screenshot in the ticket",
    },
    "RebindDecisionIn": {"decision": "approve", "reason": "the screenshot shows it"},
    "CampaignIn": {
        "slug": "spring",
        "name": "Spring offer",
        "starts_at": "2026-03-01T00:00:00Z",
        "ends_at": None,
        "destination": "https://book.example/signup",
        "budget": {"minor": 500_000, "currency": "USD"},
        "terms": {
            "signup_window": "P30D",
            "deposit_window": "P30D",
            "minimum_deposit": _TEN_DOLLARS,
            "hold_period": "PT0S",
            "review_period": "P3D",
            "chargeback_window": "P120D",
            "lateness_grace": "PT1H",
            "referrer_reward": _TEN_DOLLARS,
            "referee_reward": None,
        },
    },
    "FundingIn": {"amount": _TEN_DOLLARS, "reference": "invoice-1", "reason": "a second run"},
    "SpendIn": {"amount": _TEN_DOLLARS, "reference": "bet-1"},
    "DecisionIn": {"decision": "approve", "reason": "the devices are of one household"},
}
