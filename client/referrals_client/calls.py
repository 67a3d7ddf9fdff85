"""Calls that wait for their answer, each with a deadline."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from referrals_client import answers
from referrals_client.answers import Balance, Claimed, Confirmed, OwnCode, Resolved
from referrals_client.events import utc_text
from referrals_client.first_open import FirstOpen
from referrals_client.outcomes import Outcome, Refused
from referrals_client.wire import Wire

_Answer = TypeVar("_Answer")


class Calls:
    """Calls that return Ok, Refused or Unavailable within `call_s` seconds and never raise.

    Cancellation is the one exception: a cancelled call raises CancelledError.
    """

    def __init__(self, wire: Wire, *, call_s: float) -> None:
        self._wire = wire
        self._call_s = call_s

    async def resolve(self, seen: FirstOpen) -> Outcome[Resolved]:
        """Ask who invited the person that opens the app first. Needs the scope `codes:write`."""

        def body() -> dict[str, object]:
            return seen.body()  # inside _post's try: `seen` may be anything

        return await self._post("/v1/attributions/resolve", body, answers.parse_resolved)

    async def confirm(self, referral_token: str, *, confirmed: bool = True) -> Outcome[Confirmed]:
        """Report the person's answer to `Resolved.ask`. Needs the scope `codes:write`."""
        body = {"referral_token": referral_token, "confirmed": confirmed}
        return await self._post("/v1/attributions/confirm", lambda: body, answers.parse_confirmed)

    async def claim(
        self, player_id: str, code: str, *, occurred_at: datetime | None = None
    ) -> Outcome[Claimed]:
        """Claim a code typed after the signup; `occurred_at` is now when left out.

        Works within the campaign's `claim_grace`. Needs the scope `codes:write`.
        """

        def body() -> dict[str, object]:
            claim_body: dict[str, object] = {"player_id": player_id, "code": code}
            if occurred_at is not None:
                claim_body["occurred_at"] = utc_text(occurred_at)
            return claim_body

        return await self._post("/v1/attributions/claim", body, answers.parse_claimed)

    async def code_of(
        self,
        player_id: str,
        *,
        campaign: str | None = None,
        vanity: str | None = None,
        segments: Sequence[str] = (),
        accepted_terms: str | None = None,
        jurisdiction: str | None = None,
    ) -> Outcome[OwnCode]:
        """Return the code that a player shares, creating it when there is none.

        `vanity` is a code of the player's choice. `segments` are the player's, for campaigns that
        are not for everybody. `accepted_terms` is the version of the offer's terms that the player
        accepted, in `jurisdiction`. Needs the scope `codes:write`.
        """
        given = {
            "campaign": campaign,
            "vanity": vanity,
            "segments": segments,
            "accepted_terms": accepted_terms,
            "jurisdiction": jurisdiction,
        }

        def body() -> dict[str, object]:
            known = {name: value for name, value in given.items() if value}
            if segments:
                known["segments"] = list(segments)
            return {"player_id": player_id, **known}

        return await self._post("/v1/codes", body, answers.parse_own_code)

    async def balance(self, player_id: str) -> Outcome[Balance]:
        """Return a player's available, held and owed amounts.

        Needs the scope `rewards:read` or `players:read`.
        """
        try:
            path = f"/v1/players/{quote(player_id, safe='')}/balance"
        except Exception as fault:  # noqa: BLE001 - must not reach the caller's critical path
            return _unsendable(fault)
        return answers.parse_outcome(
            await self._wire.get(path, within_s=self._call_s), answers.parse_balance
        )

    async def _post(
        self,
        path: str,
        body: Callable[[], Mapping[str, Any]],
        parse: Callable[[Mapping[str, Any]], _Answer],
    ) -> Outcome[_Answer]:
        try:
            content = json.dumps(body()).encode()
        except Exception as fault:  # noqa: BLE001 - must not reach the caller's critical path
            return _unsendable(fault)
        return answers.parse_outcome(
            await self._wire.post(path, content, within_s=self._call_s), parse
        )


def _unsendable(fault: Exception) -> Refused:
    return Refused("invalid_input", f"cannot be sent: {type(fault).__name__}")
