"""The calls whose answer a caller waits for, each with a deadline."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from referrals_client import answers
from referrals_client.answers import Balance, Claimed, Confirmed, OwnCode, Resolved
from referrals_client.first_open import FirstOpen
from referrals_client.outcomes import Outcome, Refused
from referrals_client.wire import Wire

_Answer = TypeVar("_Answer")


class Asking:
    """Each answers Ok, Refused or Unavailable within `call_s` seconds and never raises.

    Being cancelled is the one exception: whoever cancels a call gets the CancelledError.
    """

    def __init__(self, wire: Wire, *, call_s: float) -> None:
        self._wire = wire
        self._call_s = call_s

    async def resolve(self, seen: FirstOpen) -> Outcome[Resolved]:
        """Who invited the person who opens the app for the first time. Scope `codes:write`."""

        def body() -> dict[str, object]:
            return seen.body()  # not before: `seen` may be anything

        return await self._post("/v1/attributions/resolve", body, answers.resolved)

    async def confirm(self, referral_token: str, *, confirmed: bool = True) -> Outcome[Confirmed]:
        """What the person said to the question of `resolve`. Scope `codes:write`."""
        body = {"referral_token": referral_token, "confirmed": confirmed}
        return await self._post("/v1/attributions/confirm", lambda: body, answers.confirmed)

    async def claim(
        self, player_id: str, code: str, *, occurred_at: datetime | None = None
    ) -> Outcome[Claimed]:
        """A code typed after the signup, within the campaign's grace. Scope `codes:write`."""

        def body() -> dict[str, object]:
            typed: dict[str, object] = {"player_id": player_id, "code": code}
            return typed if occurred_at is None else typed | {"occurred_at": _utc(occurred_at)}

        return await self._post("/v1/attributions/claim", body, answers.claimed)

    async def code_of(self, player_id: str, *, campaign: str | None = None) -> Outcome[OwnCode]:
        """The code that a player shares, made when there is none. Scope `codes:write`."""
        body = {"player_id": player_id} | ({"campaign": campaign} if campaign else {})
        return await self._post("/v1/codes", lambda: body, answers.own_code)

    async def balance(self, player_id: str) -> Outcome[Balance]:
        """What a player was credited, is held and owes. Scope `rewards:read`."""
        try:
            path = f"/v1/players/{quote(player_id, safe='')}/balance"
        except Exception as fault:  # noqa: BLE001 - the caller's critical path begins here
            return _unusable(fault)
        return answers.read(await self._wire.get(path, within_s=self._call_s), answers.balance)

    async def _post(
        self,
        path: str,
        body: Callable[[], Mapping[str, Any]],
        reader: Callable[[Mapping[str, Any]], _Answer],
    ) -> Outcome[_Answer]:
        try:
            content = json.dumps(body()).encode()
        except Exception as fault:  # noqa: BLE001 - the same
            return _unusable(fault)
        return answers.read(await self._wire.post(path, content, within_s=self._call_s), reader)


def _unusable(fault: Exception) -> Refused:
    return Refused("invalid_input", f"this cannot be sent: {type(fault).__name__}")


def _utc(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a time zone is needed")
    return moment.astimezone(UTC).isoformat()
