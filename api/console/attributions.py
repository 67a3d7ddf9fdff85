"""Attempts to attribute a player's signup, in sentences for support."""

from collections.abc import Iterable, Mapping
from typing import Final

from api.console.tables import Column, Kind, Row, ShortId, Table
from domain.attribution.policy import Refusal
from referrals.attribution.log_views import AttemptView, TouchView

MAX_ATTEMPTS: Final = 50
COLUMNS: Final = (
    Column("Decided", Kind.TIME),
    Column("By", Kind.WORD),
    Column("Outcome", Kind.WORD),
    Column("Why"),
    Column("Touches"),
    Column("Referral", Kind.ID),
)
SENTENCES: Final[Mapping[str, str]] = {
    "bound": "The player belongs to this referral.",
    "rebound": "The player was moved to this referral.",
    "known": "The player belonged to this code before.",
    "waiting": "It is decided when the signup is reported.",
    Refusal.NO_TOUCH: "The signup came without a code and without a token of a link.",
    Refusal.EXISTING_PLAYER: "The player had signed up before, or was referred already.",
    Refusal.FORGED_TOKEN: "The token of the link was cut off, or is not ours.",
    Refusal.EXPIRED_TOKEN: "The link was followed too long before the signup.",
    Refusal.UNKNOWN_REFERRAL: "The link's invitation is not in this database.",
    Refusal.UNKNOWN_CODE: "Nobody has the code that was typed.",
    Refusal.CAMPAIGN_NOT_BEGUN: "The offer had not begun at the signup.",
    Refusal.CAMPAIGN_ENDED: "The offer was over at the signup.",
    Refusal.CAMPAIGN_PAUSED: "The offer was paused at the signup.",
    Refusal.SWITCHED_OFF: "A kill switch was off.",
    Refusal.LATE_CODE: "The code was typed too long after the signup. Two people may rebind.",
    Refusal.OUTSIDE_WINDOW: "The signup was later than the offer allows.",
    Refusal.NOT_ACCEPTED: "The offer does not take this way of bringing a player.",
    Refusal.OUTRANKED: "Another way by which the player came goes before it.",
    Refusal.LOWER_PRIORITY: "Another campaign goes before this one.",
    Refusal.SUPERSEDED: "Somebody else has used the invitation.",
    Refusal.ALREADY_EARNED: "The player's referral has paid or ended, so nothing moves.",
    Refusal.AMBIGUOUS: "Several codes were followed behind one network.",
    Refusal.UNCONFIRMED: "The person was asked whether the code invited them, and did not answer.",
    Refusal.DECLINED: "The person said that the code did not invite them.",
    Refusal.CLICK_INJECTION: "The times of the install are impossible.",
    Refusal.SELF: "The code was the player's own.",
}
"""Meaning of each outcome of an attempt."""


def attempts_table(attempts: Iterable[AttemptView]) -> Table:
    return Table(
        name="attributions",
        columns=COLUMNS,
        rows=[_row(attempt) for attempt in attempts],
        empty="No signup of this player was reported, and no code was claimed.",
    )


def _row(attempt: AttemptView) -> Row:
    referral_id = attempt.referral_id
    return Row(
        (
            attempt.decided_at,
            attempt.attempt,
            attempt.outcome,
            SENTENCES.get(attempt.outcome, ""),
            ", ".join(map(_touch_text, attempt.candidates)) or "none",
            ShortId(referral_id) if referral_id else None,
        ),
        href=f"/console/referrals/{referral_id}" if referral_id else None,
    )


def _touch_text(touch: TouchView) -> str:
    words = (touch.method.replace("_", " "), touch.code, touch.outcome.replace("_", " "))
    return " ".join(word for word in words if word)
