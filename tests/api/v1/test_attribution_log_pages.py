"""Pages of the attribution log: filters, cursors and the index behind them."""

from typing import Any

from httpx import AsyncClient
from sqlalchemy import text

from db.engine import Database
from tests.api.attribution_steps import (
    attribution_log,
    claim,
    referral_of,
    sign_up,
)
from tests.api.bodies import (
    assert_problem,
    create_code,
    unique,
)


async def test_pages_of_the_log_hold_every_attempt_once(
    client: AsyncClient, database: Database
) -> None:
    player = await sign_up(client, database)
    for _ in range(4):
        await claim(client, player, unique("NO")[:10])
    whole = await attribution_log(client, player)

    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    while not seen or cursor:
        query = {"player_id": player, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/attributions", params=query)).json()
        seen += page["items"]
        cursor = page["next_cursor"]

    assert seen[::-1] == whole
    assert len(whole) == 5


async def test_the_log_answers_for_a_player_or_a_referral(
    client: AsyncClient, database: Database
) -> None:
    player = await sign_up(client, database, code=await create_code(client))
    referral_id = (await referral_of(client, player))["referral_id"]

    by_referral = await client.get("/v1/attributions", params={"referral_id": referral_id})
    by_outcome = await client.get(
        "/v1/attributions", params={"player_id": player, "outcome": "late_code"}
    )

    assert [one["player_id"] for one in by_referral.json()["items"]] == [player]
    assert by_outcome.json()["items"] == []
    assert_problem(await client.get("/v1/attributions"), 422, "validation_failed", "player_id")
    assert_problem(await client.get("/v1/attributions/unheard-of"), 404, "unknown_attempt")
    bad = {"player_id": player, "cursor": "e30"}
    assert_problem(
        await client.get("/v1/attributions", params=bad), 422, "validation_failed", "cursor"
    )


async def test_refuses_unstorable_ids_and_outcomes(client: AsyncClient) -> None:
    assert_problem(await client.get("/v1/attributions/%00"), 422, "validation_failed")
    query = {"player_id": unique("player"), "outcome": "\0"}
    answer = await client.get("/v1/attributions", params=query)
    assert_problem(answer, 422, "validation_failed", "outcome")


async def test_the_newest_attempts_are_found_by_an_index(fresh_superuser: Database) -> None:
    crowd = """
        insert into attributions (signup_event_id, outcome, decided_at)
        select 'attempt-' || n, 'no_touch', now() - n * interval '1 minute'
        from generate_series(1, 2000) n
    """
    newest = """
        explain select * from attributions
        order by decided_at desc, signup_event_id desc limit 51
    """
    async with fresh_superuser.transaction() as session:
        await session.execute(text(crowd))
    async with fresh_superuser.transaction() as session:
        await session.execute(text("analyze attributions"))
        plan = "\n".join(await session.scalars(text(newest)))

    assert "ix_attributions_decided" in plan
    assert "Seq Scan" not in plan
