"""Shapes that the client sends and the service accepts, and the bounds of queue and pauses."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from referrals.intake.events import (
    ChargebackIn,
    DepositIn,
    EventIn,
    SignupIn,
    StatusChangeIn,
    WagerIn,
    WithdrawalIn,
)
from referrals_client import (
    ChargebackFields,
    DepositFields,
    Event,
    FirstOpen,
    Limits,
    Money,
    SignupFields,
    StatusFields,
    WagerFields,
    WithdrawalFields,
)
from referrals_client.events import FIELD_CHECKS, build_event
from referrals_client.lanes import Lanes

DOORS: dict[str, tuple[type[EventIn], Any]] = {
    "signups": (SignupIn, SignupFields),
    "deposits": (DepositIn, DepositFields),
    "chargebacks": (ChargebackIn, ChargebackFields),
    "wagers": (WagerIn, WagerFields),
    "withdrawals": (WithdrawalIn, WithdrawalFields),
    "players": (StatusChangeIn, StatusFields),
}
GIVEN: dict[str, Any] = {
    "platform": "web",
    "jurisdiction": "US-NJ",
    "currency": "USD",
    "deposit_id": "d-1",
    "amount": Money(1000, "USD"),
    "stake": Money(1, "EUR"),
    "kind": "refund",
    "status": "verified",
    "consent": False,
}


@pytest.mark.parametrize("door", DOORS)
def test_every_field_of_an_event_is_known_on_both_sides(door: str) -> None:
    body, fields = DOORS[door]
    required, optional = FIELD_CHECKS[door]
    assert {*required, *optional} == set(body.model_fields)
    assert set(get_type_hints(fields)) == {*required, *optional}
    assert fields.__required_keys__ == required.keys() - {"occurred_at"}


@pytest.mark.parametrize("door", DOORS)
def test_the_service_takes_a_full_event(door: str) -> None:
    required, optional = FIELD_CHECKS[door]
    now = datetime.now(UTC)
    reported = {"event_id": "e-1", "player_id": "p-1", "occurred_at": now}
    names = {*required, *optional} - reported.keys()
    event = build_event(door, reported | {name: GIVEN.get(name, "text") for name in names}, at=now)
    taken = TypeAdapter(DOORS[door][0]).validate_json(event.body)
    assert (taken.event_id, taken.player_id, taken.occurred_at) == ("e-1", "p-1", now)


@pytest.mark.parametrize("text", ["x" * 5000, "nul\0", "half \ud800"])
def test_a_signup_is_handed_over_whatever_the_person_typed_or_the_browser_sent(text: str) -> None:
    presented = ("code", "referral_token", "cookie_token", "user_agent", "locale", "ip")
    names = ("event_id", "player_id", "platform", "jurisdiction")
    fields = dict.fromkeys(names, "some") | {"currency": "USD"} | dict.fromkeys(presented, text)
    event = build_event("signups", fields, at=datetime.now(UTC))
    assert TypeAdapter(SignupIn).validate_json(event.body).code is not None


@pytest.mark.parametrize("text", ["203.0.113.9, " * 500, "nul\0"])
def test_a_deposit_is_handed_over_whatever_a_proxy_wrote_as_its_address(text: str) -> None:
    fields = {"event_id": "e-1", "player_id": "p-1", "deposit_id": "d-1", "ip": text}
    event = build_event("deposits", fields | {"amount": Money(1, "USD")}, at=datetime.now(UTC))
    assert TypeAdapter(DepositIn).validate_json(event.body).ip is not None


def test_a_first_open_says_only_what_is_known() -> None:
    seen = FirstOpen(platform="android", install_version="1.0", install_begin_timestamp_seconds=0)
    assert seen.body() == {
        "platform": "android",
        "install_version": "1.0",
        "install_begin_timestamp_seconds": 0,
    }


def test_an_event_does_not_show_its_body() -> None:
    assert "secret" not in repr(Event("signups", "e-1", "p-1", b'{"email": "secret"}'))


@given(st.integers(1, 10_000), st.none() | st.floats(0, 1e9))
def test_a_pause_grows_within_its_bounds(failures: int, asked_s: float | None) -> None:
    limits = Limits()
    pause_s = limits.pause_s(failures, asked_s)
    assert limits.first_pause_s / 2 <= pause_s
    assert pause_s <= max(limits.longest_pause_s, 1.1 * limits.longest_retry_after_s)
    assert pause_s >= min(asked_s or 0, limits.longest_retry_after_s)


@given(st.lists(st.sampled_from("abc"), max_size=40), st.randoms(use_true_random=True))
def test_lanes_give_each_event_once_and_in_its_players_order(
    players: list[str], lot: Random
) -> None:
    lanes = Lanes(max_events=25, max_bytes=10**6)
    events = [Event("wagers", f"e-{n}", player, b"") for n, player in enumerate(players)]
    put = [event for event in events if lanes.put(event) is None]
    assert len(put) == len(lanes) == min(25, len(events))

    settled = list(drain_by_lot(lanes, lot))

    assert len(settled) == len(put)
    for player in "abc":
        ours = [event for event in settled if event.player_id == player]
        assert ours == [event for event in put if event.player_id == player]


def drain_by_lot(lanes: Lanes, lot: Random) -> Iterator[Event]:
    """Take, postpone and settle at random until nothing is left; return what was settled."""
    out: list[Event] = []
    for now in range(1000):
        if event := lanes.take(now):
            assert event.player_id not in {other.player_id for other in out}
            out.append(event)
        elif out:
            event = out.pop(lot.randrange(len(out)))
            if lot.random() < 0.3:
                lanes.postpone(event, now + 2)
            else:
                lanes.settle(event)
                yield event
    assert len(lanes) == 0
