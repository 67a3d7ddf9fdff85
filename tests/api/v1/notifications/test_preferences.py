"""Preferences of players: changed in part, validated, and with a default for each."""

from typing import Any, Final

import pytest
from httpx import AsyncClient, Response

from tests.api.bodies import assert_problem, unique

DEFAULTS: Final = {
    "locale": None,
    "time_zone": None,
    "notifications": True,
    "quiet_hours": None,
}
ALL: Final = {
    "locale": "de-AT",
    "time_zone": "Europe/Vienna",
    "notifications": False,
    "quiet_hours": {"from": "22:00", "to": "08:00"},
}


async def change(client: AsyncClient, player_id: str, **body: Any) -> Response:  # noqa: ANN401
    return await client.put(f"/v1/players/{player_id}/preferences", json=body)


async def shown(client: AsyncClient, player_id: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/players/{player_id}/preferences")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def test_a_player_who_set_nothing_has_the_defaults(client: AsyncClient) -> None:
    player = unique("player")
    assert await shown(client, player) == {"player_id": player, **DEFAULTS}


async def test_all_can_be_set_at_once(client: AsyncClient) -> None:
    player = unique("player")
    answer = await change(client, player, **ALL)

    assert answer.status_code == 200
    assert answer.json() == {"player_id": player, **ALL} == await shown(client, player)


@pytest.mark.parametrize("field", ALL)
async def test_a_field_that_is_left_out_stays(client: AsyncClient, field: str) -> None:
    player = unique("player")
    await change(client, player, **{field: ALL[field]})
    await change(client, player)
    rest = {name: value for name, value in ALL.items() if name != field}

    assert (await change(client, player, **rest)).json() == {"player_id": player, **ALL}


@pytest.mark.parametrize("field", ["locale", "time_zone", "quiet_hours"])
async def test_null_is_the_default_again(client: AsyncClient, field: str) -> None:
    player = unique("player")
    await change(client, player, **ALL)

    assert (await change(client, player, **{field: None})).json() == {
        "player_id": player,
        **ALL,
        field: None,
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [("EN_us", "en-US"), ("de-AT", "de-AT"), ("PT", "pt"), ("zh_hant", "zh-Hant")],
)
async def test_a_locale_is_normalised(client: AsyncClient, given: str, kept: str) -> None:
    answer = await change(client, unique("player"), locale=given)
    assert answer.json()["locale"] == kept


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"locale": "xx"}, "locale"),
        ({"locale": ""}, "locale"),
        ({"locale": "de\0"}, "locale"),
        ({"locale": 1}, "locale"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"time_zone": "CET+1"}, "time_zone"),
        ({"notifications": "no"}, "notifications"),
        ({"notifications": None}, "notifications"),
        ({"quiet_hours": {"from": "22:00"}}, "quiet_hours.to"),
        ({"quiet_hours": {"from": "24:00", "to": "08:00"}}, "quiet_hours.from"),
        ({"quiet_hours": {"from": "22:00", "to": "8:00"}}, "quiet_hours.to"),
        ({"quiet_hours": {"from": "22:00:30", "to": "08:00"}}, "quiet_hours.from"),
        ({"quiet_hours": {"from": "08:00", "to": "08:00"}}, "quiet_hours"),
        ({"quiet_hours": []}, "quiet_hours"),
        ({"language": "de"}, "language"),
    ],
)
async def test_what_is_wrong_is_named_and_changes_nothing(
    client: AsyncClient, body: dict[str, Any], field: str
) -> None:
    player = unique("player")
    await change(client, player, **ALL)

    answer = await change(client, player, **body)

    assert_problem(answer, 422, "validation_failed")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert await shown(client, player) == {"player_id": player, **ALL}
