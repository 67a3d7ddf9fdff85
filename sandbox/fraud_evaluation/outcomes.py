"""The outcomes of the population's referrals, as the API shows them."""

from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any, Final

from sandbox.evaluation.in_process_client import InProcessClient

PAGE_SIZE: Final = 200
LATE: Final = "late_link"
STOPPED_STAGES: Final = frozenset({"HELD", "REJECTED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one referral; `paid_minor` are the cents credited to its referrer."""

    referee_id: str
    is_assessed: bool
    is_stopped: bool
    was_reviewed: bool
    has_late_case: bool
    """True for a paid one whose link was learned afterwards: a person looks at it."""
    paid_minor: int
    reasons: tuple[str, ...]


async def load_outcomes(client: InProcessClient) -> tuple[dict[str, Outcome], Counter[str]]:
    """Return the outcomes by referee, and the number of cases of each kind."""
    cases = [case async for case in _items(client, "/v1/cases")]
    late = {found for case in cases if case["kind"] == LATE for found in case["referrals"]}
    reviewed = {review["referral_id"] async for review in _items(client, "/v1/reviews")}
    outcomes = [
        _outcome(referral, reviewed=reviewed, late=late)
        async for referral in _items(client, "/v1/referrals")
        if referral["referee_id"] and referral["stage"] != "LOST"
    ]
    kinds = Counter(str(case["kind"]) for case in cases)
    return {outcome.referee_id: outcome for outcome in outcomes}, kinds


def _outcome(
    referral: dict[str, Any], *, reviewed: Collection[str], late: Collection[str]
) -> Outcome:
    assessment = referral["assessment"]
    issued = [each for each in referral["rewards"] if each["status"] == "ISSUED"]
    return Outcome(
        referee_id=referral["referee_id"],
        is_assessed=assessment is not None,
        is_stopped=referral["stage"] in STOPPED_STAGES,
        was_reviewed=referral["referral_id"] in reviewed,
        has_late_case=referral["referral_id"] in late,
        paid_minor=sum(reward["amount"]["minor"] for reward in issued),
        reasons=tuple(assessment["reasons"]) if assessment else (),
    )


async def _items(client: InProcessClient, path: str) -> AsyncIterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = await client.get_json(f"{path}?limit={PAGE_SIZE}{cursor}")
        for item in page["items"]:
            yield item
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={page['next_cursor']}"
