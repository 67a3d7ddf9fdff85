"""Numbers and amounts as people type them: a decimal comma makes no hundred of one."""

from typing import Final

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.console.builder.texts import TextFaultError, read_amount, read_value, read_whole
from db.engine import Database
from domain.campaigns.conditions.fields import FIELDS
from referrals.access.console.roles import Role
from referrals.campaigns import views
from tests.api.bodies import publish_campaign, unique
from tests.api.console.signed_in import signed_in

AMOUNT: Final = FIELDS["deposit.amount"]
COUNT: Final = FIELDS["deposits.count"]


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("1,000", "USD", 100_000),
        ("12,345,678.90", "USD", 1_234_567_890),
        ("$25", "USD", 2500),
        ("$ 1,000.5", "USD", 100_050),
        ("1,000", "JPY", 1000),
    ],
)
def test_commas_stand_between_thousands(typed: str, currency: str, minor: int) -> None:
    assert read_amount(typed, currency) == {"minor": minor, "currency": currency}


@pytest.mark.parametrize(
    "typed",
    ["25,00", "1,2,3", "10,0000", "1.000,00", "1000,000", ",100", "1,000,", "25.000", "1,00.00"],
)
def test_a_decimal_comma_is_refused_and_the_message_says_how_to_write(typed: str) -> None:
    with pytest.raises(TextFaultError, match=r"such as 25\.00 or 1,000\.00: a point before the"):
        read_amount(typed, "USD")


def test_a_currency_without_decimals_is_explained_without_them() -> None:
    with pytest.raises(TextFaultError, match=r"in JPY, such as 25 or 1,000$"):
        read_amount("1,5", "JPY")


@pytest.mark.parametrize(("typed", "currency"), [("$25", "EUR"), ("$25 EUR", "USD")])
def test_dollars_are_not_another_currency(typed: str, currency: str) -> None:
    with pytest.raises(TextFaultError, match="in EUR"):
        read_amount(typed, currency)


@pytest.mark.parametrize("typed", ["25,00, 30,00", "25,00", "1,000, 2,000", "25.00,30.00"])
def test_a_list_of_amounts_with_commas_inside_them_is_refused(typed: str) -> None:
    with pytest.raises(TextFaultError, match="Write a blank after each comma"):
        read_value(typed, AMOUNT, "in", "USD")


def test_a_list_of_amounts_has_blanks_after_its_commas() -> None:
    amounts = read_value('25.00, "1,000.00" ,30', AMOUNT, "in", "USD")
    assert amounts == [{"minor": each, "currency": "USD"} for each in (2500, 100_000, 3000)]


def test_a_list_of_counts_says_where_a_number_ends() -> None:
    assert read_value("1,2, 1500", COUNT, "in", "USD") == [1, 2, 1500]
    with pytest.raises(TextFaultError, match="Write a blank after each comma"):
        read_value("1,500", COUNT, "in", "USD")


@pytest.mark.parametrize("typed", ["1,000", "000", "1.5", "-1"])
def test_a_whole_number_has_digits_alone(typed: str) -> None:
    with pytest.raises(TextFaultError):
        read_whole(typed)


@pytest.mark.parametrize("act", ["fund", "defund"])
async def test_money_with_a_decimal_comma_does_not_move(
    app: FastAPI, client: AsyncClient, database: Database, act: str
) -> None:
    slug = await publish_campaign(client)
    page = f"/console/campaigns/{slug}"
    async with database.reading() as session:
        before = await views.find_campaign(session, slug)
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        fields = {"amount": "25,00", "reference": unique("comma"), "reason": "a test"}
        answer = await operator.sends(f"{page}/{act}", seen_on=page, **fields)
        assert answer.status_code == 422
        assert "a point before the decimals" in answer.text
    async with database.reading() as session:
        after = await views.find_campaign(session, slug)
    assert before is not None
    assert after is not None
    assert after.available_budget == before.available_budget
