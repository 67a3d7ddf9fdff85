"""The authorisation matrix: a row for every route, with what opens it."""

from collections.abc import Mapping
from typing import Final

from referrals.access.console.roles import Permission

P = Permission

KEYS: Final[Mapping[str, str]] = {
    "GET /metrics": "reports:read",
    "POST /v1/codes": "codes:write",
    "GET /v1/codes/{code}": "codes:write",
    "POST /v1/shares": "codes:write",
    "POST /v1/clicks": "codes:write",
    "POST /v1/attributions/resolve": "codes:write",
    "POST /v1/attributions/confirm": "codes:write",
    "POST /v1/attributions/rebinds": "reviews:decide",
    "GET /v1/attributions/rebinds": "reviews:decide",
    "POST /v1/attributions/rebinds/{rebind_id}/decision": "reviews:decide",
    "POST /v1/attributions/claim": "codes:write",
    "GET /v1/attributions": "referrals:read",
    "GET /v1/attributions/{attempt_id}": "referrals:read",
    "POST /v1/events/signups": "signups:write events:write",
    "POST /v1/events/deposits": "deposits:write events:write",
    "POST /v1/events/chargebacks": "chargebacks:write events:write",
    "POST /v1/events/wagers": "wagers:write events:write",
    "POST /v1/events/withdrawals": "withdrawals:write events:write",
    "POST /v1/events/players": "players:write events:write",
    "GET /v1/referrals": "referrals:read",
    "GET /v1/referrals/{referral_id}/facts": "referrals:read",
    "GET /v1/referrals/{referral_id}": "referrals:read",
    "GET /v1/players/{player_id}/invited": "referrals:read players:read",
    "GET /v1/players/{player_id}/balance": "rewards:read players:read",
    "POST /v1/players/{player_id}/spend": "events:write spend:write",
    "POST /v1/players/{player_id}/unspend": "events:write spend:write",
    "GET /v1/players/{player_id}/statement": "rewards:read players:read",
    "GET /v1/players/{player_id}/allowance": "rewards:read players:read",
    "PUT /v1/players/{player_id}/preferences": "players:write events:write",
    "GET /v1/players/{player_id}/preferences": "players:read referrals:read",
    "POST /v1/players/{player_id}/embed-token": "players:read referrals:read",
    "GET /v1/rewards": "rewards:read",
    "GET /v1/rewards/{reward_id}/evidence": "rewards:read",
    "GET /v1/reviews": "reviews:decide",
    "POST /v1/reviews/{review_id}/decision": "reviews:decide",
    "GET /v1/cases": "reviews:decide",
    "GET /v1/cases/{case_id}": "reviews:decide",
    "POST /v1/cases/{case_id}/claim": "reviews:decide",
    "POST /v1/cases/{case_id}/release": "reviews:decide",
    "POST /v1/cases/{case_id}/notes": "reviews:decide",
    "POST /v1/cases/{case_id}/decision": "reviews:decide",
    "GET /v1/campaigns/fields": "campaigns:write campaigns:publish reports:read",
    "POST /v1/campaigns/{slug}/explain": "campaigns:write campaigns:publish reports:read",
    "POST /v1/campaigns/{slug}/simulate": "campaigns:write campaigns:publish reports:read",
    "POST /v1/campaigns": "campaigns:write",
    "GET /v1/campaigns": "campaigns:write campaigns:publish reports:read",
    "GET /v1/campaigns/{slug}": "campaigns:write campaigns:publish reports:read",
    "PUT /v1/campaigns/{slug}": "campaigns:write",
    "POST /v1/campaigns/{slug}/fund": "campaigns:publish",
    "POST /v1/campaigns/{slug}/defund": "campaigns:publish",
    "GET /v1/campaigns/{slug}/versions": "campaigns:write campaigns:publish reports:read",
    "POST /v1/campaigns/{slug}/publish": "campaigns:publish",
    "POST /v1/campaigns/{slug}/withdraw": "campaigns:write",
    "POST /v1/campaigns/{slug}/{step}": "campaigns:publish",
    "GET /v1/switches": "campaigns:write campaigns:publish reports:read",
    "PUT /v1/switches/{scope}": "campaigns:publish",
    "GET /v1/ledger/verify": "ledger:read",
    "POST /v1/lists/{list_name}": "rules:write",
    "GET /v1/lists/{list_name}": "rules:write rules:publish reviews:decide",
    "DELETE /v1/lists/{list_name}/{entry_id}": "rules:write",
    "POST /v1/rule-sets": "rules:write",
    "GET /v1/rule-sets": "rules:write rules:publish reviews:decide",
    "GET /v1/rule-sets/{version}": "rules:write rules:publish reviews:decide",
    "POST /v1/rule-sets/{version}/shadow": "rules:write",
    "DELETE /v1/rule-sets/{version}/shadow": "rules:write",
    "POST /v1/rule-sets/{version}/backtest": "rules:write rules:publish",
    "POST /v1/rule-sets/{version}/publish": "rules:publish",
    "POST /v1/rule-sets/{version}/rollback": "rules:publish",
    "GET /v1/reports/funnel": "reports:read",
    "GET /v1/reports/time-to-conversion": "reports:read",
    "GET /v1/reports/fraud": "reports:read",
    "GET /v1/reports/reversals": "reports:read",
    "GET /v1/reports/cost": "reports:read",
    "GET /v1/reports/top-referrers": "reports:read",
    "GET /v1/reports/budgets": "reports:read",
    "POST /v1/webhooks": "webhooks:write",
    "GET /v1/webhooks": "webhooks:write",
    "GET /v1/webhooks/{webhook_id}": "webhooks:write",
    "DELETE /v1/webhooks/{webhook_id}": "webhooks:write",
    "POST /v1/webhooks/{webhook_id}/rotate": "webhooks:write",
    "POST /v1/webhooks/{webhook_id}/enable": "webhooks:write",
    "GET /v1/webhooks/{webhook_id}/deliveries": "webhooks:write",
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/retry": "webhooks:write",
}
"""Routes that an API key opens which has one of these scopes, or `admin`."""

CONSOLE: Final[Mapping[str, tuple[Permission, ...]]] = {
    "POST /console/sign-out": tuple(P),
    "GET /console": (P.SEE_REPORTS,),
    "GET /console/cases": (P.SEE_CASES,),
    "GET /console/cases/{case_id}": (P.SEE_CASES,),
    "POST /console/cases/{case_id}/claim": (P.DECIDE_CASES,),
    "POST /console/cases/{case_id}/release": (P.DECIDE_CASES,),
    "POST /console/cases/{case_id}/notes": (P.DECIDE_CASES,),
    "POST /console/cases/{case_id}/decision": (P.DECIDE_CASES,),
    "GET /console/search": (P.SEE_REFERRALS, P.SEE_CAMPAIGNS),
    "GET /console/referrals": (P.SEE_REFERRALS,),
    "GET /console/referrals/{referral_id}": (P.SEE_REFERRALS,),
    "GET /console/players/{player_id}": (P.SEE_REFERRALS,),
    "GET /console/campaigns": (P.SEE_CAMPAIGNS,),
    "GET /console/campaigns/{slug}": (P.SEE_CAMPAIGNS,),
    "GET /console/campaigns/{slug}/explain": (P.SEE_CAMPAIGNS,),
    "GET /console/campaigns/{slug}/simulate": (P.SEE_CAMPAIGNS,),
    "GET /console/switches": (P.SEE_CAMPAIGNS,),
    "POST /console/switches": (P.CHANGE_CAMPAIGNS,),
    "POST /console/campaigns/{slug}/fund": (P.CHANGE_CAMPAIGNS,),
    "POST /console/campaigns/{slug}/publish": (P.CHANGE_CAMPAIGNS,),
    "POST /console/campaigns/{slug}/withdraw": (P.CHANGE_CAMPAIGNS,),
    "POST /console/campaigns/{slug}/{step}": (P.CHANGE_CAMPAIGNS,),
    "GET /console/ledger": (P.SEE_LEDGER,),
    "POST /console/ledger/verify": (P.SEE_LEDGER,),
    "GET /console/ledger/rewards/{reward_id}": (P.SEE_LEDGER,),
    "GET /console/ledger/audit": (P.SEE_OPERATIONS,),
    "GET /console/operations": (P.SEE_OPERATIONS,),
    "GET /console/operations/webhooks/{webhook_id}": (P.SEE_OPERATIONS,),
    "POST /console/operations/webhooks/{webhook_id}/deliveries/{delivery_id}/retry": (
        P.RETRY_DELIVERIES,
    ),
}
"""Routes that a session opens whose person has a role with one of these permissions."""

PLAYER_PAGES: Final = ("GET /embed/{player_id}", "HEAD /embed/{player_id}")
"""Routes that a token opens which was issued for this player."""

OPEN: Final = (
    "GET /openapi.json",
    "HEAD /openapi.json",
    "GET /healthz",
    "HEAD /healthz",
    "GET /readyz",
    "HEAD /readyz",
    "GET /asyncapi.json",
    "HEAD /asyncapi.json",
    "GET /r/{code}",
    "GET /r/{code}/",
    "HEAD /r/{code}/",
    "HEAD /r/{code}",
    "GET /invitation.png",
    "HEAD /invitation.png",
    "GET /.well-known/apple-app-site-association",
    "HEAD /.well-known/apple-app-site-association",
    "GET /.well-known/assetlinks.json",
    "HEAD /.well-known/assetlinks.json",
    "HEAD /docs",
    "GET /docs",
    "GET /referral.js",
    "GET /console/static/{version}/{name:path}",
    "GET /console/sign-in",
    "GET /console/sign-in/oidc",
    "GET /console/sign-in/callback",
)
"""Routes for everybody: the link, its texts and pictures, signs of life, documentation, and the
sign-in, which reads a token or an answer of the identity provider itself."""

NOT_BY_ONESELF: Final[Mapping[str, str]] = {
    "POST /v1/campaigns/{slug}/publish": "v1/campaigns/test_versions.py::"
    "test_whoever_wrote_a_version_last_does_not_publish_it",
    "POST /v1/rule-sets/{version}/publish": "v1/fraud/test_rule_sets.py::"
    "test_a_second_person_publishes_after_a_backtest",
    "POST /v1/attributions/rebinds/{rebind_id}/decision": "v1/test_rebinds.py::"
    "test_nobody_approves_their_own_wish",
    "POST /v1/cases/{case_id}/claim": "v1/cases/test_cases.py::"
    "test_a_player_of_the_case_works_on_no_case_of_their_own",
    "POST /v1/cases/{case_id}/decision": "v1/cases/test_decisions.py::"
    "test_much_money_needs_a_second_person",
    "POST /v1/reviews/{review_id}/decision": "v1/cases/test_decisions.py::"
    "test_a_review_of_much_money_needs_a_second_person_too",
}
"""Acts that a person may not do on what is their own, and the test in which they try."""
