"""The fields of conditions over HTTP."""

from httpx import AsyncClient

from tests.api.bodies import assert_problem, campaign


async def test_lists_the_fields_of_conditions_with_their_operators(client: AsyncClient) -> None:
    answer = await client.get("/v1/campaigns/fields")
    assert answer.status_code == 200, answer.text
    fields = {item["field"]: item for item in answer.json()["items"]}
    assert len(fields) == 19
    assert fields["deposit.amount"]["type"] == "money"
    assert fields["referee.verified"]["operators"] == ["eq", "ne", "exists"]
    assert fields["time.weekday"]["unit"] == "1 Monday to 7 Sunday"


async def test_names_the_fields_for_people_in_each_language(client: AsyncClient) -> None:
    labels = {}
    for language in ("en", "de", "ja"):
        answer = await client.get("/v1/campaigns/fields", params={"language": language})
        labels[language] = answer.json()["items"][0]["label"]
    assert labels == {"en": "deposit amount", "de": "Einzahlungsbetrag", "ja": "入金額"}


async def test_fields_is_not_a_slug(client: AsyncClient) -> None:
    answer = await client.post("/v1/campaigns", json=campaign(slug="fields"))
    assert_problem(answer, 422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == "slug"
