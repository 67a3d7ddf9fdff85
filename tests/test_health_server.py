"""The HTTP server of processes without an HTTP door: alive, ready, metrics."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import httpx
import pytest
from structlog.testing import capture_logs

from runtime.health_server import HealthServer
from runtime.readiness import Readiness

Ask = Callable[[], Awaitable[str]]


def answering(state: str) -> Ask:
    async def ask() -> str:
        return state

    return ask


async def failing() -> str:
    raise RuntimeError("nobody knows")


def no_metrics() -> bytes:
    return b"up 1\n"


@asynccontextmanager
async def serving(
    required: Mapping[str, Ask],
    reported: Mapping[str, Ask] | None = None,
    *,
    render_metrics: Callable[[], bytes] = no_metrics,
    answer_timeout_s: float = 60,
) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        HealthServer(
            host="127.0.0.1",
            port=0,
            readiness=Readiness(required=required, reported=reported or {}),
            render_metrics=render_metrics,
            answer_timeout_s=answer_timeout_s,
        ) as server,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}", trust_env=False, timeout=60
        ) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("required", "reported", "status"),
    [
        ({"postgres": answering("ok")}, {}, 200),
        ({"postgres": answering("ok")}, {"kafka": answering("failing")}, 200),
        ({"postgres": answering("read_only")}, {"kafka": answering("ok")}, 503),
        ({"postgres": answering("ok"), "temporal": failing}, {}, 503),
    ],
)
async def test_is_ready_while_all_that_it_needs_is(
    required: Mapping[str, Ask], reported: Mapping[str, Ask], status: int
) -> None:
    async with serving(required, reported) as client:
        answer = await client.get("/readyz")

    assert answer.status_code == status
    assert answer.json()["status"] == ("ready" if status == 200 else "not_ready")
    assert set(answer.json()["dependencies"]) == {*required, *reported}


async def test_a_state_that_cannot_be_asked_is_unknown() -> None:
    async with serving({"temporal": failing}) as client:
        answer = await client.get("/readyz")

    assert answer.json() == {"status": "not_ready", "dependencies": {"temporal": "unknown"}}


async def test_a_question_that_fails_is_logged_once_until_it_succeeds() -> None:
    fails = iter([True, True, False, True])

    async def ask() -> str:
        if next(fails):
            raise KeyError("stored-secret")
        return "ok"

    readiness = Readiness(required={"temporal": ask}, reported={}, max_age_s=0)
    with capture_logs() as logged:
        states = [(await readiness.ask()).dependencies["temporal"] for _ in range(4)]

    assert states == ["unknown", "unknown", "ok", "unknown"]
    assert [(line["event"], line["dependency"], line["error"]) for line in logged] == [
        ("dependency_unknown", "temporal", "KeyError")
    ] * 2


async def test_many_probes_ask_once() -> None:
    asked = 0

    async def ask() -> str:
        nonlocal asked
        asked += 1
        return "ok"

    readiness = Readiness(required={"postgres": ask}, reported={})
    reports = await asyncio.gather(*(readiness.ask() for _ in range(20)))

    assert all(report.is_ready for report in reports)
    assert asked == 1


async def test_a_process_whose_loop_hangs_is_neither_alive_nor_ready() -> None:
    async with serving({"postgres": answering("ok")}, answer_timeout_s=0.2) as client:
        # Called in the loop's own thread, they keep it from doing anything else.
        alive = _get_and_hang(f"{client.base_url}/healthz")
        ready = _get_and_hang(f"{client.base_url}/readyz")

    assert alive == (503, {"status": "hangs"})
    assert ready == (503, {"status": "not_ready", "dependencies": {"process": "hangs"}})


async def test_metrics_that_cannot_be_read_whole_are_not_shown() -> None:
    def render() -> bytes:
        raise ConnectionRefusedError

    async with serving({}, render_metrics=render) as client:
        assert (await client.get("/metrics")).status_code == 503


async def test_shows_metrics_as_prometheus_reads_them() -> None:
    async with serving({}) as client:
        answer = await client.get("/metrics")

    assert (answer.status_code, answer.text) == (200, "up 1\n")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_a_monitor_may_ask_with_head_and_nobody_may_post(path: str) -> None:
    async with serving({"postgres": answering("ok")}) as client:
        head, post = await client.head(path), await client.post(path)

    assert (head.status_code, head.content, post.status_code) == (200, b"", 405)
    assert int(head.headers["content-length"]) > 0


async def test_knows_no_other_paths() -> None:
    async with serving({}) as client:
        assert (await client.get("/readyz/x")).status_code == 404


def _get_and_hang(url: str) -> tuple[int, object]:
    try:
        with urlopen(url, timeout=60) as answer:  # noqa: S310 - a test's own server
            return answer.status, json.load(answer)
    except HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)
