"""First opens, confirmations and claims through the client, on the real service."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from httpx import AsyncClient

from api.v1.schemas.first_open import ResolveIn
from db.engine import Database
from referrals_client import Client, FirstOpen, Ok, Refused
from sandbox.sportsbook.requests import unique_id
from stack import ports
from tests import ROOT
from tests.api.attribution_steps import NO_TIME_AGO, referral_of, sign_up
from tests.api.bodies import create_code
from tests.api.first_opens import BROWSER_TRAITS, PHONE_TRAITS, follow_link, play_install, unique_ip
from tests.docs.snippets import code_blocks, run_snippet

PAGE = ROOT / "docs" / "integration" / "README.md"


def test_the_client_has_every_field_of_a_first_open() -> None:
    assert {field.name for field in fields(FirstOpen)} == set(ResolveIn.model_fields)


async def test_an_install_that_carries_a_token_is_attributed(
    real_client: Client, client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    install = play_install(await follow_link(client, code))
    outcome = await real_client.resolve(FirstOpen.of(install, ip=unique_ip(), user_agent=None))

    assert isinstance(outcome, Ok)
    found = outcome.value
    assert (found.code, found.method, found.guaranteed) == (code, "install_referrer", True)
    assert found.ask is None
    token = found.referral_token
    player = await sign_up(client, database, age=NO_TIME_AGO, referral_token=token)
    assert (await referral_of(client, player))["code"] == code


@pytest.mark.parametrize("said_yes", [True, False])
async def test_the_pages_routes_ask_about_a_likeness_and_pass_the_answer_on(
    real_client: Client, client: AsyncClient, *, said_yes: bool
) -> None:
    routes = run_snippet(code_blocks(PAGE, "python")[0])
    code, ip = await create_code(client), unique_ip()
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)

    found = await routes["first_open"](real_client, PHONE_TRAITS, ip=ip, user_agent="Book/1")

    assert found["code"] == code
    assert code in found["ask"]
    assert (
        await routes["answered"](real_client, found["referral_token"], said_yes=said_yes)
        is said_yes
    )


async def test_a_token_copied_by_the_sportsbooks_page_is_in_the_clipboard(
    real_client: Client, client: AsyncClient
) -> None:
    code = await create_code(client)
    copied = f"https://book.example/?referral_token={await follow_link(client, code)}"
    outcome = await real_client.resolve(FirstOpen(platform="ios", clipboard_token=copied))
    assert isinstance(outcome, Ok)
    assert (outcome.value.code, outcome.value.method) == (code, "clipboard")


async def test_the_pages_route_has_no_answer_while_the_service_is_away() -> None:
    routes = run_snippet(code_blocks(PAGE, "python")[0])
    async with Client(f"http://127.0.0.1:{ports.find_free()}", "key") as away:
        assert (
            await routes["first_open"](away, PHONE_TRAITS, ip=unique_ip(), user_agent=None) is None
        )


async def test_an_install_reported_twice_gets_the_same_token(
    real_client: Client, client: AsyncClient
) -> None:
    install = play_install(await follow_link(client, await create_code(client)))
    seen = FirstOpen.of(install, ip=unique_ip(), user_agent=None)
    first, second = await real_client.resolve(seen), await real_client.resolve(seen)
    assert isinstance(first, Ok)
    assert first == second


async def test_an_answer_about_a_forged_token_is_refused(real_client: Client) -> None:
    outcome = await real_client.confirm("forged")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.status) == ("validation_failed", 422)


async def test_a_late_code_is_claimed(
    real_client: Client, client: AsyncClient, database: Database
) -> None:
    code, player = await create_code(client), await sign_up(client, database)
    outcome = await real_client.claim(player, code, occurred_at=datetime.now(UTC))
    assert isinstance(outcome, Ok)
    assert (outcome.value.outcome, outcome.value.code) == ("bound", code)
    assert outcome.value.referral_id == (await referral_of(client, player))["referral_id"]


async def test_a_code_is_claimed_before_its_signup_arrives(
    real_client: Client, client: AsyncClient
) -> None:
    outcome = await real_client.claim(unique_id("player"), await create_code(client))
    assert isinstance(outcome, Ok)
    assert (outcome.value.outcome, outcome.value.referral_id) == ("waiting", None)


async def test_claims_are_refused_with_the_services_reason(
    real_client: Client, client: AsyncClient, database: Database
) -> None:
    late = await sign_up(client, database, age=timedelta(hours=25))
    code = await create_code(client)
    refusals = [await real_client.claim(late, code), await real_client.claim(late, "NOSUCHCODE")]
    assert [one.code for one in refusals if isinstance(one, Refused)] == [
        "late_code",
        "unknown_code",
    ]
