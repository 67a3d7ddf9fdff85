"""Types of problems that the HTTP door answers with: status, title and detail by code."""

from typing import Final, NamedTuple


class ProblemType(NamedTuple):
    """Status, title and default detail of one problem code."""

    status: int
    title: str
    detail: str
    """Next step of the caller."""


PROBLEM_TYPES: Final[dict[str, ProblemType]] = {
    "malformed_json": ProblemType(
        400, "Malformed JSON", "Send valid JSON, in UTF-8, in which no object repeats a key."
    ),
    "bad_request": ProblemType(400, "Bad request", "Check the request against /openapi.json."),
    "unauthorized": ProblemType(
        401, "Missing or invalid API key", "Send a valid API key as `Authorization: Bearer <key>`."
    ),
    "missing_scope": ProblemType(
        403, "Missing scope", "Use an API key that has one of the scopes of this route."
    ),
    "sign_in_required": ProblemType(
        401, "Sign in", "Open the link that `referrals console-link` prints, or sign in again."
    ),
    "sign_in_expired": ProblemType(
        400,
        "Sign-in expired",
        "Sign in again: this sign-in is too old or began in another browser.",
    ),
    "sign_in_refused": ProblemType(
        403, "Sign-in refused", "The identity provider did not let you in. Try again, or ask there."
    ),
    "identity_not_accepted": ProblemType(
        403,
        "Identity not accepted",
        "The identity provider's answer is not valid. Sign in again; if it fails again, report"
        " its `X-Request-Id`.",
    ),
    "not_admitted": ProblemType(
        403, "Not admitted", "Ask whoever runs the identity provider for a role at the console."
    ),
    "identity_provider_away": ProblemType(
        503, "Identity provider away", "The identity provider does not answer. Try again soon."
    ),
    "role_not_allowed": ProblemType(
        403, "Not part of your role", "Ask an administrator for a link with another role."
    ),
    "forged_form": ProblemType(
        403, "This form is not valid", "Open the page again and send its form from there."
    ),
    "own_referral": ProblemType(
        403, "Own referral", "Have a person decide who is not a player of the referral."
    ),
    "own_entry": ProblemType(
        403, "Own entry", "Have a person list or unlist the player who has another name."
    ),
    "second_person_required": ProblemType(
        403, "Second person required", "The person who began this cannot finish it; another must."
    ),
    "not_found": ProblemType(404, "Not found", "Check the path against /openapi.json."),
    "unknown_code": ProblemType(404, "Unknown referral code", "Check the spelling of the code."),
    "unknown_campaign": ProblemType(404, "Unknown campaign", "Check the campaign's slug."),
    "unknown_referral": ProblemType(404, "Unknown referral", "Check the referral's id."),
    "unknown_reward": ProblemType(404, "Unknown reward", "Check the reward's id."),
    "unknown_player": ProblemType(
        404, "Unknown player", "Check the player's id, or report the signup first."
    ),
    "unknown_attempt": ProblemType(
        404, "Unknown attribution attempt", "Find the attempt's id in GET /v1/attributions."
    ),
    "unknown_rebind": ProblemType(404, "Unknown rebind request", "Check the id of the request."),
    "unknown_spend": ProblemType(
        404, "Unknown spend", "Use the reference under which the player's balance was spent."
    ),
    "unknown_webhook": ProblemType(
        404, "Unknown webhook", "Find the webhook's id in GET /v1/webhooks."
    ),
    "unknown_delivery": ProblemType(
        404, "Unknown delivery", "Find the delivery's id in GET /v1/webhooks/{id}/deliveries."
    ),
    "unknown_review": ProblemType(
        404, "Unknown review", "Find the review's id in GET /v1/reviews."
    ),
    "unknown_list_entry": ProblemType(
        404, "Unknown list entry", "Find the entry's id in GET /v1/lists/{list}."
    ),
    "unknown_case": ProblemType(404, "Unknown case", "Find the case's id in GET /v1/cases."),
    "unknown_rule_set": ProblemType(
        404, "Unknown rule set", "Find the version in GET /v1/rule-sets."
    ),
    "method_not_allowed": ProblemType(
        405, "Method not allowed", "Use a method of the `Allow` header."
    ),
    "event_conflict": ProblemType(
        409,
        "Event id already used",
        "Repeat the event as it was first sent, `occurred_at` included, or report other content"
        " under an event id of its own; `errors` names the fields that differ.",
    ),
    "code_taken": ProblemType(409, "Code taken by another player", "Choose another code."),
    "code_exists": ProblemType(
        409, "Player already has a code", "Use the code that the player has in this campaign."
    ),
    "campaign_not_open": ProblemType(
        409, "Campaign not open", "Ask for a code while the campaign is open."
    ),
    "campaign_exists": ProblemType(
        409, "Campaign already exists", "Choose another slug, or revise the campaign by PUT."
    ),
    "invalid_transition": ProblemType(
        409, "Invalid transition", "Check the campaign's status; it does not allow this."
    ),
    "budget_is_funded": ProblemType(
        409,
        "Budget already funded",
        "Send the budget of the current version; add to it by `fund`, take it back by `defund`.",
    ),
    "insufficient_budget": ProblemType(
        409, "Insufficient budget", "Take back at most what is free of the campaign's budget."
    ),
    "balance_limit": ProblemType(
        409,
        "Balance limit reached",
        "Use a smaller amount; no balance may exceed 10^15 minor units.",
    ),
    "exceeds_spend": ProblemType(
        409, "More than was spent", "Give back at most what is left of the spend."
    ),
    "insufficient_balance": ProblemType(
        409, "Insufficient balance", "Use an amount that the balance covers."
    ),
    "external_wallet": ProblemType(
        409,
        "Balance held elsewhere",
        "Spend or give back in the wallet that holds it.",
    ),
    "reference_conflict": ProblemType(
        409,
        "Reference already used",
        "Repeat the amount as it was first sent, or use a new reference.",
    ),
    "already_answered": ProblemType(
        409, "Already answered", "Keep the person's first answer, which was a different one."
    ),
    "late_code": ProblemType(
        409, "Code entered too late", "Refer the player to support, who may rebind the referral."
    ),
    "self_referral": ProblemType(409, "Self-referral", "Use the code of another player."),
    "already_earned": ProblemType(
        409,
        "Reward already earned",
        "Keep the player's referral, which has earned a reward or has ended.",
    ),
    "outranked": ProblemType(
        409, "Outranked", "Keep the player's other invitation, which ranks higher."
    ),
    "not_accepted": ProblemType(
        409, "Typed codes not accepted", "Follow the link; this campaign accepts no typed codes."
    ),
    "already_decided": ProblemType(
        409, "Already decided", "Keep the earlier decision, which was a different one."
    ),
    "report_required": ProblemType(
        409,
        "Backtest required",
        "Run POST /v1/rule-sets/{version}/backtest against the rule set that is live now,"
        " over a time that has assessments.",
    ),
    "already_listed": ProblemType(
        409,
        "Already listed",
        "Delete the entry of this value first; it has another reason or end.",
    ),
    "too_many_webhooks": ProblemType(
        409, "Too many webhooks", "Delete a webhook that is not needed any more."
    ),
    "webhook_disabled": ProblemType(
        409, "Webhook disabled", "Enable the webhook by POST /v1/webhooks/{id}/enable first."
    ),
    "claimed": ProblemType(
        409, "Claimed", "Wait until the case is released, or until `claimed_until`."
    ),
    "case_closed": ProblemType(
        409, "Case closed", "Reload the case; later events left nothing to decide."
    ),
    "review_closed": ProblemType(
        409, "Review closed", "Reload the referral; later events left nothing to decide."
    ),
    "campaign_not_begun": ProblemType(
        409, "Campaign not begun", "Try again once it has begun; `starts_at` says when."
    ),
    "not_in_audience": ProblemType(
        409, "Not in the audience", "Offer the player a campaign that is for their segments."
    ),
    "switched_off": ProblemType(
        409, "Switched off", "Try again once GET /v1/switches shows the scope as on."
    ),
    "rates_conflict": ProblemType(
        409,
        "Rates already recorded",
        "Keep the recorded rates, or send the others under a time or a source of their own.",
    ),
    "version_changed": ProblemType(
        409,
        "Changed since it was read",
        "Read what stands by now, and send its version.",
    ),
    "no_proposal": ProblemType(
        409, "No proposal", "Propose a version by PUT /v1/campaigns/{slug} first."
    ),
    "link_used": ProblemType(
        410, "This link is used up", "Ask for a new one; each signs one person in once."
    ),
    "campaign_paused": ProblemType(
        410, "Campaign paused", "Try again later; the campaign may be resumed."
    ),
    "campaign_ended": ProblemType(
        410, "Campaign ended", "Use the code of a campaign that takes invitations."
    ),
    "body_too_large": ProblemType(413, "Body too large", "Send a smaller body."),
    "url_too_long": ProblemType(414, "URL too long", "Send a shorter path or query."),
    "unsupported_media_type": ProblemType(
        415, "Unsupported media type", "Send the body as `Content-Type: application/json`."
    ),
    "report_too_large": ProblemType(
        422,
        "Report too large",
        "Ask for a shorter period or for one campaign; the warehouse has reports of everything.",
    ),
    "validation_failed": ProblemType(
        422, "Validation failed", "Correct the fields that `errors` names."
    ),
    "too_many_requests": ProblemType(
        429, "Too many requests", "Try again after the seconds in the `Retry-After` header."
    ),
    "headers_too_large": ProblemType(
        431, "Headers too large", "Send fewer or shorter headers and cookies."
    ),
    "internal_error": ProblemType(
        500,
        "Internal server error",
        "Repeat the request; if it fails again, report its `X-Request-Id`.",
    ),
    "format_unavailable": ProblemType(
        501,
        "Format not available",
        "Use `format=json` or `csv`; Parquet needs the extra `warehouse`.",
    ),
    "too_early": ProblemType(
        503,
        "Event from the future",
        "Check the clock of the reporting service, and repeat the event later.",
    ),
    "overloaded": ProblemType(
        503,
        "Too many requests under way",
        "Repeat the request after the seconds in the `Retry-After` header.",
    ),
    "unavailable": ProblemType(
        503,
        "Service unavailable",
        "Repeat the request after the seconds in the `Retry-After` header.",
    ),
}
