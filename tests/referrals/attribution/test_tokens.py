"""Tokens: valid only as issued with the key, unchanged and in time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.attribution.first_open import MAX_TOKEN_CHARS
from domain.attribution.policy import Method
from referrals.attribution.tokens import METHOD_BYTES, TokenOutcome, Tokens

TOKENS = Tokens("a key for tests")
ROTATED = Tokens("the next key", "a key for tests")
REFERRAL = UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")
ENDS = datetime(2026, 3, 1, tzinfo=UTC)
TOKEN = TOKENS.issue(REFERRAL, expires_at=ENDS)


def test_a_token_names_its_invitation_until_it_expires() -> None:
    before = TOKENS.read(TOKEN, at=ENDS - timedelta(seconds=1))
    after = TOKENS.read(TOKEN, at=ENDS)
    assert (before.outcome, before.subject) == (TokenOutcome.VALID, REFERRAL)
    assert (after.outcome, after.subject) == (TokenOutcome.EXPIRED, REFERRAL)


def test_a_token_ends_no_sooner_than_the_window_that_it_stands_for() -> None:
    token = TOKENS.issue(REFERRAL, expires_at=ENDS + timedelta(microseconds=900_000))
    within = TOKENS.read(token, at=ENDS + timedelta(microseconds=800_000))
    assert within.outcome is TokenOutcome.VALID


def test_a_repeated_click_gets_the_token_it_had() -> None:
    assert TOKENS.issue(REFERRAL, expires_at=ENDS) == TOKEN


@pytest.mark.parametrize(
    "token",
    ["", ".", "x", TOKEN[:-1], TOKEN[1:], TOKEN + "A", TOKEN.swapcase(), "é" + TOKEN, "\0",
     "\ud800", TOKEN.partition(".")[0], "." + TOKEN.partition(".")[2], "a" * (MAX_TOKEN_CHARS + 1),
     Tokens("another key").issue(REFERRAL, expires_at=ENDS)],
)  # fmt: skip
def test_anything_else_is_forged(token: str) -> None:
    reading = TOKENS.read(token, at=ENDS - timedelta(days=1))
    assert (reading.outcome, reading.subject) == (TokenOutcome.FORGED, None)


def test_a_token_shows_neither_player_nor_code() -> None:
    assert len(TOKEN) < 80
    assert str(REFERRAL) not in TOKEN


@pytest.mark.parametrize("method", METHOD_BYTES)
def test_a_token_records_its_method(method: Method) -> None:
    token = TOKENS.issue(REFERRAL, expires_at=ENDS, method=method)
    reading = TOKENS.read(token, at=ENDS - timedelta(days=1))
    assert (reading.outcome, reading.subject, reading.method) == (
        TokenOutcome.VALID,
        REFERRAL,
        method,
    )


def test_tokens_of_two_keys_are_read_while_one_replaces_the_other() -> None:
    before, after = (tokens.issue(REFERRAL, expires_at=ENDS) for tokens in (TOKENS, ROTATED))
    is_prepared = Tokens("a key for tests", "the next key")

    at = ENDS - timedelta(days=1)
    for token in (before, after):
        for tokens in (is_prepared, ROTATED):
            assert tokens.read(token, at=at).outcome is TokenOutcome.VALID
    assert before != after
    assert is_prepared.issue(REFERRAL, expires_at=ENDS) == before
    assert Tokens("the next key").read(before, at=at).outcome is TokenOutcome.FORGED
