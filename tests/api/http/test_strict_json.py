"""Bodies that are not JSON, are too large, or are JSON that parsers read differently."""

import json
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from tests.api.bodies import assert_problem, deposit, signup

URL = "/v1/events/deposits"
JSON = {"Content-Type": "application/json"}
TEN_MB = 10_000_000


@pytest.mark.parametrize(
    "body",
    [b"{", b"[" * 30_000, b'{"a":' * 9_000, b"\xff\xfe", b"NaN", b'{"event_id": Infinity}',
     b"1" * 5_000, b'"\\x"', b"nul\0"],
)  # fmt: skip
async def test_a_body_that_is_not_json_is_a_bad_request(client: AsyncClient, body: bytes) -> None:
    assert_problem(await client.post(URL, content=body, headers=JSON), 400, "malformed_json")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
async def test_json_is_utf_8(client: AsyncClient, encoding: str) -> None:
    body = json.dumps(deposit()).encode(encoding)
    assert_problem(await client.post(URL, content=body, headers=JSON), 400, "malformed_json")
    declared = {"Content-Type": f"application/json; charset={encoding}"}
    answer = await client.post(URL, content=body, headers=declared)
    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=UTF-8", 'Application/JSON;charset="utf-8"; x=y']
)
async def test_utf_8_may_be_declared_with_a_mark_before_it(client: AsyncClient, kind: str) -> None:
    body = json.dumps(deposit()).encode("utf-8-sig")
    assert (await client.post(URL, content=body, headers={"Content-Type": kind})).is_success


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"7", b"true"])
async def test_json_that_is_not_an_object_is_refused(client: AsyncClient, body: bytes) -> None:
    answer = await client.post(URL, content=body, headers=JSON)
    assert_problem(answer, 422, "validation_failed", "body")


async def test_an_empty_body_is_refused(client: AsyncClient) -> None:
    assert_problem(await client.post(URL, headers=JSON), 422, "validation_failed", "body")


@pytest.mark.parametrize("field", ["event_id", "minor"])
async def test_a_key_that_appears_twice_is_named(client: AsyncClient, field: str) -> None:
    text = json.dumps(deposit()).replace(f'"{field}":', f'"{field}": "x", "{field}":')
    answer = await client.post(URL, content=text, headers=JSON)
    assert_problem(answer, 422, "validation_failed", field)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "x" * 99])
async def test_only_json_is_read(client: AsyncClient, kind: str) -> None:
    body = json.dumps(deposit())
    answer = await client.post(URL, content=body, headers={"Content-Type": kind})
    assert_problem(answer, 415, "unsupported_media_type")


async def test_a_text_is_measured_in_characters(client: AsyncClient) -> None:
    body = signup(device_id="d" * 321, platform="", jurisdiction="J" * 65)
    answer = await client.post("/v1/events/signups", json=body)
    messages = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert messages == {
        "device_id": "Must have at most 320 characters",
        "platform": "Must not be blank",
        "jurisdiction": "Must have at most 64 characters",
    }


async def test_a_large_body_is_refused_by_its_length(client: AsyncClient) -> None:
    answer = await client.post(URL, content=b" " * TEN_MB, headers=JSON)
    assert_problem(answer, 413, "body_too_large")


async def test_a_large_body_without_a_length_is_refused_while_it_is_read(
    client: AsyncClient,
) -> None:
    sent = []

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(TEN_MB // 10_000):
            sent.append(1)
            yield b" " * 10_000

    answer = await client.post(URL, content=chunks(), headers=JSON)
    assert_problem(answer, 413, "body_too_large")
    assert len(sent) < 10


async def test_nothing_at_an_address_is_a_problem_too(client: AsyncClient) -> None:
    assert_problem(await client.get("/v1/nothing"), 404, "not_found")
    wrong = await client.delete("/v1/codes")
    assert_problem(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("/healthz", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
        ("/referral.js", "GET, HEAD"),
        ("/v1/campaigns", "GET, POST"),
        ("/v1/campaigns/spring", "GET, PUT"),
        ("/r/ANN123", "GET, HEAD"),
    ],
)
async def test_all_methods_of_an_address_are_named(
    client: AsyncClient, url: str, allowed: str
) -> None:
    answer = await client.request("OPTIONS", url)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("text", ["%00", "%ff", "%f0%9f%8e%89", "a" * 65, "with%20space", "%0a"])
@pytest.mark.parametrize(
    "url",
    ["/v1/codes/{}", "/v1/players/{}/balance", "/v1/players/{}/statement", "/v1/referrals/{}",
     "/v1/campaigns/{}", "/v1/referrals?player_id={}", "/v1/referrals?campaign={}",
     "/v1/referrals?cursor={}", "/v1/rewards?referral_id={}", "/v1/reviews?status={}",
     "/v1/campaigns?cursor={}", "/v1/players/p/statement?cursor={}", "/r/{}"],
)  # fmt: skip
async def test_odd_characters_in_an_address_are_never_a_fault(
    client: AsyncClient, url: str, text: str
) -> None:
    answer = await client.get(url.format(text))
    assert answer.status_code in {404, 422}, answer.text
