"""The link's route answers whatever it is sent exactly as FastAPI's own route would."""

import re

import pytest
from fastapi import APIRouter, FastAPI
from httpx import AsyncClient, Response

from api.link.landing.pages import HtmlOutageRoute
from api.link.link_route import PAGE_QUERY
from api.link.routes import follow_link
from tests.api.bodies import create_code
from tests.fixtures.api_client import browser
from tests.user_agents import GOOGLEBOT, LINK_PREVIEW, LINUX

FASTAPIS = "/by-fastapi"
RANDOM = re.compile(rb"referral_token=[\w.-]+|visitor=[\w-]+|expires=[^;]+")
"""Values of a person's answer that are new each time."""
REQUEST_ID = "0b6f0c3e9f5a4c1f8a53a1f0cf6e2d11"


@pytest.fixture
def both_ways(app: FastAPI) -> FastAPI:
    """Return the application with the same endpoint on FastAPI's own route beside ours."""
    router = APIRouter(prefix=FASTAPIS, route_class=HtmlOutageRoute, include_in_schema=False)
    router.add_api_route("/r/{code:path}", follow_link, methods=["GET", "HEAD"])
    app.include_router(router)
    return app


async def answers(
    app: FastAPI, path: str, agent: str, method: str = "GET", **headers: str
) -> list[Response]:
    found = []
    for prefix in ("", FASTAPIS):
        async with browser(app, agent, **{"X-Request-Id": REQUEST_ID}, **headers) as visitor:
            found.append(await visitor.request(method, f"{prefix}{path}"))
    return found


def what_is_alike(answer: Response) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    headers = [(name, RANDOM.sub(b"", value)) for name, value in answer.headers.raw]
    return answer.status_code, RANDOM.sub(b"", answer.content), headers


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?lang=de",
        "?lang=&via=",
        "?lang=de&lang=fr",
        "?via=qr",
        "?via=qr&via=x",
        "?jurisdiction=US-NJ",
        "?jurisdiction=%FF%00&lang=%F0%9F",
        "?surprise=1&lang",
    ],
)
@pytest.mark.parametrize("agent", [LINUX, GOOGLEBOT, LINK_PREVIEW, "curl/8.5.0", ""])
async def test_a_link_is_answered_alike(
    both_ways: FastAPI, client: AsyncClient, agent: str, query: str
) -> None:
    code = await create_code(client)
    ours, fastapis = await answers(both_ways, f"/r/{code}{query}", agent)

    assert ours.status_code in {200, 302}
    assert what_is_alike(ours) == what_is_alike(fastapis)


@pytest.mark.parametrize("path", ["NOBODYS-CODE", "%00", "a/b/c", "%E2%80%8B", "x" * 3000])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_path_without_a_code_is_answered_alike(
    both_ways: FastAPI, path: str, method: str
) -> None:
    ours, fastapis = await answers(both_ways, f"/r/{path}", LINUX, method)

    assert ours.status_code == 404
    assert what_is_alike(ours) == what_is_alike(fastapis)


async def test_a_load_ahead_is_put_off_alike(both_ways: FastAPI) -> None:
    ours, fastapis = await answers(
        both_ways, "/r/NOBODYS-CODE", LINUX, **{"Sec-Purpose": "prefetch"}
    )

    assert ours.status_code == 503
    assert what_is_alike(ours) == what_is_alike(fastapis)


def test_the_link_reads_every_parameter_that_it_documents(app: FastAPI) -> None:
    documented = app.openapi()["paths"]["/r/{code}"]["get"]["parameters"]

    assert {each["name"] for each in documented if each["in"] == "query"} == set(PAGE_QUERY)
    assert {each["name"] for each in documented if each["in"] != "query"} == {"code"}
