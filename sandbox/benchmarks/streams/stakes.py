"""Stakes from the topic to Postgres, where those are added up for which a campaign asks."""

import asyncio
import json
import os
import signal
import time
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import Producer

from messaging.kafka import KafkaCluster
from messaging.topics import WAGERS
from sandbox.benchmarks.cpu import CpuMeter
from sandbox.benchmarks.floors import Bench
from sandbox.benchmarks.http_client import HttpClient
from sandbox.benchmarks.measurements import Measurement
from sandbox.benchmarks.traffic import REFERRALS_PER_CODE, ReferralTraffic
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import campaign_draft, usd
from sandbox.sportsbook.services.connections import connect

CAMPAIGN: Final = "bench-turnover"
REFEREES: Final = 100
STRANGERS: Final = 1_000
STAKES: Final = 10_000
"""Number of them: of all referees, of a single one, and of players whom nobody referred."""
AT_LEAST_PER_S: Final = 1000.0
NOT_REACHED_MINOR: Final = 10**9
_POLL_INTERVAL_S: Final = 0.1
_DRAINED_WITHIN_S: Final = 300.0
_FLUSH_S: Final = 60.0
_ARE_STORED: Final = "select count(*) = $2 from facts where kind = 'wager' and event_id like $1"


async def measure(bench: Bench) -> list[Measurement]:
    """Send stakes that nobody's turnover is reached by, of many referees and of one."""
    await _open_campaign(bench)
    traffic = ReferralTraffic(bench.client, series="staking", campaign=CAMPAIGN)
    for number in range(REFEREES):
        if number % REFERRALS_PER_CODE == 0:
            await traffic.code(number // REFERRALS_PER_CODE)
        await traffic.click(number)
        await traffic.sign_up(number)
        await traffic.deposit(number)
    await bench.watcher.wait_until_idle()
    everybody = [traffic.player(number) for number in range(REFEREES)]
    strangers = [f"stranger-{number}" for number in range(STRANGERS)]
    return [
        *await _drain(bench, everybody, f"stakes of {REFEREES} referees, added up"),
        *await _drain(bench, everybody[:1], f"{STAKES} stakes of one referee, added up"),
        *await _drain(bench, strangers, f"stakes of {STRANGERS} players whom nobody referred"),
    ]


async def _open_campaign(bench: Bench) -> None:
    draft = campaign_draft(slug=CAMPAIGN, name=CAMPAIGN, budget_minor=NOT_REACHED_MINOR)
    draft["terms"]["qualifies"] = {
        "on": "any_deposit",
        "minimum": draft["terms"].pop("minimum_deposit"),
        "turnover": usd(NOT_REACHED_MINOR),
    }
    approver = HttpClient(bench.connection.api_url, key=bench.connection.approver_api_key)
    await bench.client.post("/v1/campaigns", draft)
    await approver.post(f"/v1/campaigns/{CAMPAIGN}/publish", {})
    approver.close()


async def _drain(bench: Bench, players: list[str], name: str) -> list[Measurement]:
    """Write the stakes while the courier is suspended; measure until the last is added up."""
    courier, series = bench.connection.pids["courier"], f"stake-of-{len(players)}"
    os.kill(courier, signal.SIGSTOP)
    try:
        await asyncio.to_thread(_publish, bench, players, series)
    finally:
        os.kill(courier, signal.SIGCONT)
    meter, pids = (
        CpuMeter(),
        {name: bench.connection.pids[name] for name in ("courier", "postgres")},
    )
    began = time.perf_counter()
    async with (
        connect(bench.connection.postgres_owner_dsn) as connection,
        meter.measure(pids, count=STAKES),
    ):
        await wait_until(
            lambda: connection.fetchval(_ARE_STORED, f"{series}-%", STAKES),
            bool,
            what=f"{STAKES} stored stakes",
            within_s=_DRAINED_WITHIN_S,
            every_s=_POLL_INTERVAL_S,
        )
        await bench.watcher.wait_until_idle()
    per_s = STAKES / (time.perf_counter() - began)
    cpu = (
        Measurement(
            name=f"CPU of such a stake: {process}", unit="µs", value=1000 * meter.cpu_ms(process)
        )
        for process in pids
    )
    return [Measurement(name=name, unit="/s", value=per_s, at_least=AT_LEAST_PER_S), *cpu]


def _publish(bench: Bench, players: list[str], series: str) -> None:
    brokers = bench.connection.kafka_bootstrap_servers or ""
    producer = Producer(KafkaCluster(bootstrap_servers=brokers).producer_properties())
    occurred_at = datetime.now(UTC).isoformat()
    for number in range(STAKES):
        player_id = players[number % len(players)]
        body = {
            "event_id": f"{series}-{number}",
            "occurred_at": occurred_at,
            "player_id": player_id,
            "stake": usd(100),
        }
        producer.produce(WAGERS, key=player_id, value=json.dumps(body))
    if producer.flush(_FLUSH_S):
        raise TimeoutError("the broker does not acknowledge the stakes")
