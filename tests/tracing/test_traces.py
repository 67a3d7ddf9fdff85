"""Tests of traces: one for each event, through the processes, received as OTLP."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `tracing`")

from httpx import ASGITransport, AsyncClient

from api.app import build_app
from courier.router import Router
from db import traces
from db.engine import Database
from db.traces import root_id_of, trace_id_of
from domain.intake.facts import Fact
from referrals.intake import facts
from runtime.settings import Settings
from runtime.traces.tracing import TraceSettings, traced
from tests.builders import TOKENS, deposit, unique
from tests.fixtures.databases import open_database
from tests.tracing.receiver import Receiver, otlp_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with otlp_receiver() as started:
        yield started


def settings_of(receiver: Receiver, **fields: float) -> TraceSettings:
    return TraceSettings(traces_endpoint=receiver.url, **fields)  # type: ignore[arg-type]


async def record(settings: Settings, *reported: Fact) -> None:
    async with open_database(settings.database_url) as database, database.transaction() as session:
        for fact in reported:
            await facts.record_fact(session, fact, player_id=unique("player"), door="kafka")


async def test_an_event_is_one_trace_in_every_process(
    receiver: Receiver, settings: Settings
) -> None:
    fact = deposit(event_id=unique("deposit"))
    with traced(settings_of(receiver), process="courier"):
        await record(settings, fact)
        with traces.span("deliver", cause=fact.event_id):
            pass
    with traced(settings_of(receiver), process="worker"):
        async with open_database(settings.database_url) as database, database.reading() as read:
            with traces.span("credit_reward", cause=fact.event_id):
                await facts.facts_of_player(read, "nobody")

    root = receiver.named("deposit by kafka")
    assert root.trace_id == f"{trace_id_of(fact.event_id):032x}"
    assert root.span_id == f"{root_id_of(fact.event_id):016x}"
    assert root.parent_id == ""
    assert {span.trace_id for span in receiver.spans} == {root.trace_id}
    for name in ("record facts", "deliver", "credit_reward"):
        assert receiver.named(name).parent_id == root.span_id
    act, statement = receiver.named("credit_reward"), receiver.named("sql select")
    assert (act.process, statement.process) == ("referrals-worker", "referrals-worker")
    assert statement.parent_id == act.span_id
    assert "facts" in statement.attributes["db.query.text"]
    assert "nobody" not in str(receiver.spans)


async def test_an_event_that_is_routed_with_others_has_its_route_in_its_trace(
    receiver: Receiver, fresh_database: Database
) -> None:
    reported = [deposit() for _ in range(2)]
    async with fresh_database.transaction() as session:
        for fact in reported:
            await facts.record_fact(session, fact, player_id=fact.player_id, door="kafka")
    with traced(settings_of(receiver), process="courier"):
        await Router(fresh_database, tokens=TOKENS).route()

    routed = {span.trace_id for span in receiver.spans if span.name == "route"}
    assert routed == {f"{trace_id_of(fact.event_id):032x}" for fact in reported}


async def test_a_copy_of_an_event_is_in_its_trace_and_begins_none(
    receiver: Receiver, settings: Settings
) -> None:
    fact = deposit(event_id=unique("deposit"))
    await record(settings, fact)
    with traced(settings_of(receiver), process="api"):
        await record(settings, fact)

    names = {span.name for span in receiver.spans}
    assert "deposit by kafka" not in names
    assert receiver.named("record facts").trace_id == f"{trace_id_of(fact.event_id):032x}"


async def test_a_request_is_in_its_callers_trace_and_the_event_links_to_it(
    receiver: Receiver, settings: Settings
) -> None:
    caller = "0af7651916cd43dd8448eb211c80319c"
    event_id = unique("deposit")
    with traced(settings_of(receiver), process="api"):
        async with open_database(settings.database_url) as database:
            app = build_app(settings, database)
            async with AsyncClient(transport=ASGITransport(app), base_url="http://api") as client:
                await client.get(
                    "/v1/codes/NOBODYS",
                    headers={"traceparent": f"00-{caller}-b7ad6b7169203331-01"},
                )
                with traces.request(f"00-{caller}-b7ad6b7169203331-01"):
                    await record(settings, deposit(event_id=event_id))

    asked = receiver.named("GET /v1/codes/{code}")
    assert (asked.trace_id, asked.parent_id) == (caller, "b7ad6b7169203331")
    assert asked.attributes["http.response.status_code"] == "401"
    assert "NOBODYS" not in str(receiver.spans)
    recorded = [span for span in receiver.spans if span.name == "record facts"]
    assert [span.links for span in recorded] == [(caller,)]


async def test_a_fault_is_named_by_its_type_and_never_by_its_text(receiver: Receiver) -> None:
    with (
        traced(settings_of(receiver), process="worker"),
        pytest.raises(ValueError, match="ann"),
        traces.span("credit_reward", cause="e1"),
    ):
        raise ValueError("ann@mail.example")

    assert receiver.named("credit_reward").status == "ValueError"
    assert "ann" not in str(receiver.spans)


@pytest.mark.parametrize(("ratio", "kept"), [(0.0, 0), (1.0, 2)])
async def test_every_process_keeps_the_same_part(
    receiver: Receiver, ratio: float, kept: int
) -> None:
    for process in ("api", "worker"):
        exported = traced(settings_of(receiver, traces_ratio=ratio), process=process)
        with exported, traces.span("act", cause="e1"):
            pass

    assert len(receiver.spans) == kept


async def test_a_receiver_that_is_away_holds_nothing_up(settings: Settings) -> None:
    with otlp_receiver() as gone:
        pass
    began_s = time.monotonic()
    with traced(settings_of(gone), process="api"):
        await record(settings, deposit(event_id=unique("deposit")))
        recorded_s = time.monotonic() - began_s
    ended_s = time.monotonic() - began_s

    assert recorded_s < 5
    # At its end a process tries to export its last spans for the exporter's ten seconds at most.
    assert ended_s < 20


def test_nothing_of_opentelemetry_is_loaded_while_traces_are_off() -> None:
    code = (
        "import sys, worker, api.app, courier.main, runtime.traces.tracing\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry.sdk')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_span_that_is_off_is_one_object_for_all() -> None:
    assert not traces.are_on()
    assert traces.span("act", cause="e1") is traces.span("other")
