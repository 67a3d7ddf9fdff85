"""The trace of an event through the carrier, its workflow and the acts that it woke."""

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `tracing`")

from db.traces import trace_id_of
from domain.lifecycle.referral import Stage
from runtime.traces.tracing import TraceSettings, traced
from tests.tracing.receiver import otlp_receiver
from tests.workflows.harness.life import invite
from tests.workflows.harness.world import World


async def test_the_acts_that_a_deposit_wakes_are_in_the_deposits_trace(world: World) -> None:
    with (
        otlp_receiver() as receiver,
        traced(TraceSettings(traces_endpoint=receiver.url), process="all"),
    ):
        life = await invite(world)
        await life.signs_up()
        paid = await life.deposits()
        await life.reaches(Stage.REWARDED)

    trace = f"{trace_id_of(paid.event_id):032x}"
    names = {span.name for span in receiver.spans if span.trace_id == trace}
    assert {"deposit by http", "deliver", "score_and_credit"} <= names
