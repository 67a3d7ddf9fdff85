"""Claims that change nothing, and what the log says of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from db.engine import Database
from referrals.attribution.log_views import find_contradictions
from tests.api.attribution_steps import ago, attribution_log, claim, referral_of, sign_up
from tests.api.bodies import assert_problem, create_code, unique

HOUR = timedelta(hours=1)
A_DAY_AGO = timedelta(hours=26)


async def own_code_of(client: AsyncClient, player: str) -> str:
    code: str = (await client.post("/v1/codes", json={"player_id": player})).json()["code"]
    return code


async def last_attempt(client: AsyncClient, player: str) -> dict[str, Any]:
    """Return the last attempt, decided again."""
    attempt_id = (await attribution_log(client, player))[-1]["attempt_id"]
    shown: dict[str, Any] = (await client.get(f"/v1/attributions/{attempt_id}")).json()
    return shown


async def test_a_bound_player_who_types_their_own_code_stays_bound(
    client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    player = await sign_up(client, database, code=code)
    before = await referral_of(client, player)

    answer = await claim(client, player, await own_code_of(client, player))

    assert_problem(answer, 409, "self_referral")
    assert (await referral_of(client, player))["attribution"] == before["attribution"]
    shown = await last_attempt(client, player)
    assert (shown["outcome"], shown["decided_again"]["agrees"]) == ("self", True)
    async with database.reading() as session:
        assert shown["attempt_id"] not in await find_contradictions(session)


@pytest.mark.parametrize(
    ("age", "typed", "outcome"),
    [(A_DAY_AGO, "another", "late_code"), (HOUR, "NOBODYS", "unknown_code"), (HOUR, "own", "self")],
)
async def test_the_refusal_of_a_claim_does_not_mark_the_winning_touch(
    client: AsyncClient, database: Database, age: timedelta, typed: str, outcome: str
) -> None:
    code = await create_code(client)
    player = await sign_up(client, database, age=age, code=code)
    claimed_code = typed
    if typed == "own":
        claimed_code = await own_code_of(client, player)
    elif typed == "another":
        claimed_code = await create_code(client)

    await claim(client, player, claimed_code)

    shown = await last_attempt(client, player)
    weighed = {one["code"]: one["outcome"] for one in shown["candidates"]}
    kept = None if outcome == "unknown_code" else claimed_code  # which may be a name
    assert (shown["outcome"], weighed) == (outcome, {code: "won", kept: outcome})
    assert shown["decided_again"]["agrees"] is True


async def test_a_code_that_already_counts_is_known_whenever_it_was_typed(
    client: AsyncClient, database: Database
) -> None:
    code, player = await create_code(client), await sign_up(client, database)
    first = (await claim(client, player, code)).json()

    again = await claim(client, player, code, occurred_at=ago(timedelta(minutes=1)))

    assert (again.status_code, again.json()) == (200, first | {"outcome": "known"})
    shown = await last_attempt(client, player)
    assert (shown["outcome"], shown["decided_again"]["agrees"]) == ("known", True)


async def test_the_code_that_bound_a_player_is_known_also_after_the_grace(
    client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    player = await sign_up(client, database, age=A_DAY_AGO, code=code)

    assert (await claim(client, player, code)).json()["outcome"] == "known"

    shown = await last_attempt(client, player)
    weighed = sorted(one["outcome"] for one in shown["candidates"])
    assert (weighed, shown["decided_again"]["agrees"]) == (["late_code", "won"], True)


async def test_a_claim_slightly_ahead_of_the_clock_is_to_be_repeated(client: AsyncClient) -> None:
    ahead = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
    answer = await claim(client, unique("player"), "ANN-10", occurred_at=ahead)
    assert_problem(answer, 503, "too_early")
    assert 50 <= int(answer.headers["Retry-After"]) <= 60
