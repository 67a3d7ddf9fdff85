"""Records that no fact can be made of, with the reason that each is refused for."""

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.bodies import deposit


@dataclass(frozen=True, slots=True)
class Poison:
    """A record and the reason for which it is refused."""

    reason: str
    value: bytes | None
    key: str | None = None


def poison(*, large_bytes: int = 100_000) -> list[Poison]:
    """Return a record of each kind that is refused."""
    text = json.dumps(deposit())
    return [
        Poison("null_value", None),
        Poison("invalid_utf8", b'{"event_id": "\xff"}'),
        Poison("invalid_utf8", text.encode("utf-16")),
        Poison("invalid_utf8", gzip.compress(b"0" * 10_000_000)),
        Poison("too_large", _text(method="x" * large_bytes)),
        Poison("too_large", b"[" * large_bytes),
        Poison("malformed_json", b""),
        Poison("malformed_json", b"\xef\xbb\xbf" * 2 + text.encode()),
        Poison("malformed_json", text.encode()[:-1]),
        Poison("malformed_json", text.replace('"minor": 1000', '"minor": NaN').encode()),
        Poison("malformed_json", text.replace('"minor": 1000', '"minor": -Infinity').encode()),
        Poison("malformed_json", b"1" * 5_000),
        Poison("too_deep", b"[" * 60_000),
        Poison("too_deep", b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
        Poison("duplicate_key event_id", text.replace("{", '{"event_id": "a",', 1).encode()),
        Poison("duplicate_key minor", text.replace('"minor"', '"minor": 1, "minor"').encode()),
        Poison("duplicate_key", b'{"secret@example.com": 1, "secret@example.com": 2}'),
        Poison("not_an_object", b"[]"),
        Poison("not_an_object", b"null"),
        Poison("missing_field player_id", _without("player_id")),
        Poison("missing_field amount.currency", _text(amount={"minor": 1000})),
        Poison("missing_field deposit_id", _without("deposit_id", schema_version=9, more="x")),
        Poison("invalid_field amount.minor", _text(amount={"minor": 1e3, "currency": "USD"})),
        Poison("invalid_field amount.minor", _text(amount={"minor": 10**16, "currency": "USD"})),
        Poison("invalid_field amount.minor", text.replace("1000", "1e400").encode()),
        Poison("invalid_field player_id", _text(player_id="nul\0")),
        Poison("invalid_field device_id", _text(device_id="\ud800")),
        Poison("invalid_field occurred_at", _text(occurred_at=_ahead(hours=25))),
        Poison("too_early occurred_at", _text(occurred_at=_ahead(hours=1))),
        Poison("key_mismatch", text.encode(), key="somebody-else"),
    ]


def _text(**changes: Any) -> bytes:  # noqa: ANN401 - any JSON values
    return json.dumps(deposit(**changes)).encode()


def _without(name: str, **more: Any) -> bytes:  # noqa: ANN401 - any JSON values
    body = deposit(**more)
    return json.dumps({field: value for field, value in body.items() if field != name}).encode()


def _ahead(*, hours: int) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
