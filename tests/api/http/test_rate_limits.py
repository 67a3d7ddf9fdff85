"""Rate limits of the open doors: shared by all copies, uniform, and never an outage."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from pydantic import ValidationError
from sqlalchemy import func, select

from api.app import build_app
from api.http.dependencies import current_time
from api.http.limits.limiter import PRUNE_ONE_IN
from db import rate_windows
from db.engine import Database
from db.rate_windows import WindowRequest
from db.tables import RateWindow, ReferralRow
from runtime.settings import DEFAULT_RATE_LIMITS, Settings
from tests.api.attribution_steps import claim, sign_up
from tests.api.bodies import assert_problem, create_code, unique
from tests.api.first_opens import NO_MATCH_ANSWER
from tests.fixtures.api_client import browser
from tests.user_agents import GOOGLEBOT, LINUX

LOOPBACK = "127.0.0.1"


def unique_private_ip() -> str:
    return f"10.{'.'.join(str(byte) for byte in uuid4().bytes[:3])}"


def unique_network_ip() -> str:
    """Return an address of 2001:db8::/32 (documentation) in a subscriber's network of its own."""
    digits = uuid4().hex
    return f"2001:db8:{digits[:4]}:{digits[4:8]}::1"


def app_with_limits(settings: Settings, database: Database, rules: str = "") -> FastAPI:
    return build_app(settings.model_copy(update={"rate_limits": rules or None}), database)


async def follow(app: FastAPI, address: str, *codes: str, agent: str = LINUX) -> list[Response]:
    """Follow each code as a new visitor from the same address."""
    answers = []
    for code in codes:
        async with browser(app, agent, ip=address) as visitor:
            answers.append(await visitor.get(f"/r/{code}"))
    return answers


def assert_busy(answer: Response) -> None:
    assert answer.status_code == 429
    assert answer.headers["content-type"].startswith("text/html")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("agent", [LINUX, GOOGLEBOT])
async def test_a_rate_limited_answer_does_not_reveal_which_codes_exist(
    client: AsyncClient, settings: Settings, database: Database, agent: str
) -> None:
    app, code = (
        app_with_limits(settings, database, "link.address.misses=3/minute"),
        unique_network_ip(),
    )
    known = await create_code(client)

    tried = await follow(app, code, *(f"NOBODYS{n}" for n in range(4)), agent=agent)
    existing, unknown = await follow(app, code, known, "NOBODYS9", agent=agent)

    assert [answer.status_code for answer in tried] == [404, 404, 404, 429]
    for answer in (tried[-1], existing, unknown):
        assert_busy(answer)
    assert existing.text == unknown.text
    assert existing.headers.keys() == unknown.headers.keys()


async def test_a_limit_is_of_one_address_and_of_every_copy_of_the_api(
    settings: Settings, database: Database
) -> None:
    one, other = (
        app_with_limits(settings, database, "link.address.misses=2/minute") for _ in range(2)
    )
    address = unique_network_ip()

    await follow(one, address, "NOBODYS1")
    await follow(other, address, "NOBODYS2")
    (third,) = await follow(one, address, "NOBODYS3")
    (elsewhere,) = await follow(one, unique_network_ip(), "NOBODYS3")

    assert_busy(third)
    assert elsewhere.status_code == 404


async def test_an_ipv6_subscriber_has_one_limit_for_all_devices(
    settings: Settings, database: Database
) -> None:
    app, network = (
        app_with_limits(settings, database, "link.address=2/minute"),
        unique_network_ip()[:-1],
    )

    answers = [(await follow(app, f"{network}{n}", "NOBODYS"))[0].status_code for n in range(3)]

    assert answers == [404, 404, 429]


async def test_ipv4_callers_of_a_socket_for_both_have_limits_of_their_own(
    client: AsyncClient, settings: Settings, database: Database
) -> None:
    app = app_with_limits(settings, database, "link.address=1/minute")
    code, last = await create_code(client), [uuid4().int % 250 + 1 for _ in range(2)]
    one, other = f"::ffff:198.51.100.{last[0]}", f"::ffff:203.0.113.{last[1]}"

    answers = [(await follow(app, address, code))[0] for address in (one, other, one)]
    behind_a_proxy = await follow(app, "::ffff:10.0.0.1", code, code)

    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert [answer.status_code for answer in behind_a_proxy] == [302, 302]


@pytest.mark.parametrize(
    "written", ["{}:4711", '"{}"', "{}%eth0", "for={}", "/{}:4711", "::ffff:{}"]
)
async def test_addresses_as_proxies_write_them_are_clients_of_their_own(
    settings: Settings, database: Database, written: str
) -> None:
    app = app_with_limits(settings, database, "link.address=1/minute")
    last_byte = uuid4().bytes[0]
    network = f"203.{'.'.join(str(byte) for byte in uuid4().bytes[:2])}"

    (once,) = await follow(app, written.format(f"{network}.{last_byte}"), "NOBODYS")
    (again,) = await follow(app, f"{network}.{last_byte}", "NOBODYS")
    (other,) = await follow(app, written.format(f"{network}.{last_byte ^ 1}"), "NOBODYS")

    assert [once.status_code, again.status_code, other.status_code] == [404, 429, 404]


async def test_a_link_without_a_code_uses_up_nobody_s_limit(
    settings: Settings, database: Database
) -> None:
    app, address = (
        app_with_limits(settings, database, "link.address.misses=3/minute"),
        unique_private_ip(),
    )
    async with browser(app, LINUX, ip=address) as visitor:
        answers = [await visitor.get(path) for path in ("/r/", "/r") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {404}


async def test_a_window_ends(settings: Settings, database: Database) -> None:
    app, address = app_with_limits(settings, database, "link.address=1/minute"), unique_network_ip()
    now = datetime.now(UTC)
    app.dependency_overrides[current_time] = lambda: now

    first = await follow(app, address, "NOBODYS", "NOBODYS")
    now += timedelta(seconds=59)
    before = await follow(app, address, "NOBODYS")
    now += timedelta(seconds=1)
    after = await follow(app, address, "NOBODYS", "NOBODYS")

    statuses = [answer.status_code for answer in (*first, *before, *after)]
    assert statuses == [404, 429, 429, 404, 429]
    assert before[0].headers["retry-after"] == "1"


@pytest.mark.parametrize("kind", ["private", "none"])
async def test_successes_behind_a_proxy_without_addresses_are_not_counted_and_misses_are(
    client: AsyncClient, settings: Settings, database: Database, kind: str
) -> None:
    address = "" if kind == "none" else unique_private_ip()
    rules = "link.address=1/minute, link.address.misses=2/minute"
    app, code = app_with_limits(settings, database, rules), await create_code(client)

    answers = await follow(app, address, code, code, "NOBODYS1", "NOBODYS2", "NOBODYS3", code)

    assert [answer.status_code for answer in answers] == [302, 302, 404, 404, 429, 429]
    assert "referral_token" in answers[1].headers["location"]
    assert answers[-1].text == answers[-2].text


async def test_what_is_not_an_address_is_one_client(settings: Settings, database: Database) -> None:
    app = app_with_limits(settings, database, "link.address=2/minute")

    answers = [(await follow(app, text, "NOBODYS"))[0] for text in ("unknown", "1.2.3", "unknown")]

    assert [answer.status_code for answer in answers] == [404, 404, 429]


async def test_the_networks_of_a_site_have_one_limit_together(
    client: AsyncClient, settings: Settings, database: Database
) -> None:
    app = app_with_limits(settings, database, "link.site.misses=3/minute")
    site, code = unique_network_ip().removesuffix("::1"), await create_code(client)

    answers = [
        (await follow(app, f"{site}:{n}::1", f"NOBODYS{n}"))[0].status_code for n in range(4)
    ]
    (existing,) = await follow(app, f"{site}:9::1", code)
    (elsewhere,) = await follow(app, unique_network_ip(), code)

    assert answers == [404, 404, 404, 429]
    assert_busy(existing)
    assert elsewhere.status_code == 302


async def test_a_code_over_its_limit_leads_people_on_without_an_invitation(
    client: AsyncClient, settings: Settings, database: Database
) -> None:
    app, code = (
        app_with_limits(settings, database, "link.code=2/minute"),
        await create_code(client),
    )

    answers = [(await follow(app, unique_network_ip(), code.lower()))[0] for _ in range(3)]

    assert [answer.status_code for answer in answers] == [302, 302, 302]
    assert ["referral_token" in answer.headers["location"] for answer in answers] == [
        True,
        True,
        False,
    ]
    assert "set-cookie" not in answers[-1].headers
    query = select(func.count()).select_from(ReferralRow).where(ReferralRow.code == code)
    async with database.reading() as session:
        assert await session.scalar(query) == 2


async def test_two_hundred_clicks_of_one_code_in_a_row_pass_by_default(
    client: AsyncClient, settings: Settings, database: Database
) -> None:
    app, code = app_with_limits(settings, database), await create_code(client)

    answers = await follow(app, LOOPBACK, *[code] * 200)

    assert {answer.status_code for answer in answers} == {302}
    assert all("referral_token" in answer.headers["location"] for answer in answers)


async def test_a_player_cannot_try_codes(client: AsyncClient, database: Database) -> None:
    player, code = await sign_up(client, database), await create_code(client)

    answers = [await claim(client, player, f"NOBODYS{n}") for n in range(11)]
    existing = await claim(client, player, code)

    assert [answer.status_code for answer in answers] == [404] * 10 + [429]
    assert_problem(existing, 429, "too_many_requests")
    assert int(existing.headers["retry-after"]) > 3000
    other = await sign_up(client, database)
    assert (await claim(client, other, code)).status_code == 200


async def test_an_app_cannot_try_out_codes_by_first_opens(client: AsyncClient) -> None:
    body = {"platform": "ios", "device_id": unique("device"), "clipboard_token": "forged"}

    answers = [await client.post("/v1/attributions/resolve", json=body) for _ in range(61)]

    assert {answer.status_code for answer in answers[:60]} == {200}
    assert answers[0].json() == NO_MATCH_ANSWER
    assert_problem(answers[60], 429, "too_many_requests")


async def test_windows_that_ended_are_forgotten(database: Database) -> None:
    key, other, now = unique("key"), unique("key"), datetime.now(UTC)
    async with database.transaction() as session:
        await rate_windows.count_hits(
            session, [WindowRequest({key: timedelta(seconds=1)}, [], now)]
        )
        await rate_windows.count_hits(session, [WindowRequest({other: timedelta(days=1)}, [], now)])
        await rate_windows.prune(session, before=now + timedelta(hours=1))

        left = set(await session.scalars(select(RateWindow.key)))

    assert other in left
    assert key not in left


def test_rate_windows_are_pruned_faster_than_an_attacker_adds_them() -> None:
    of_the_link = [name for name in DEFAULT_RATE_LIMITS if name.startswith("link.")]
    assert PRUNE_ONE_IN * len(of_the_link) < rate_windows.PRUNE_BATCH_SIZE


@pytest.mark.parametrize("rules", ["link.adress=1/minute", "link.code", "link.code=often"])
def test_an_unknown_or_empty_limit_stops_the_start(settings: Settings, rules: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(settings.model_dump() | {"rate_limits": rules})
