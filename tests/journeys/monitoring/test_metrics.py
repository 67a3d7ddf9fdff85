"""Metrics of a played stack: each one that a dashboard or an alert names is really shown."""

from typing import Final

import httpx

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_invited_pair
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import deposit
from stack import Connection
from tests.deploy.monitoring import named_metrics

BY_WALLET: Final = frozenset(
    {"referrals_wallet_oldest_order_seconds", "referrals_wallet_contradictions_total"}
)
"""Shown only where there is a wallet; tests/wallet names them as the rules do."""


async def test_every_metric_of_a_dashboard_or_an_alert_is_shown(
    stack: Connection, sportsbook: SportsbookClient
) -> None:
    pair = await create_invited_pair(sportsbook)
    await sportsbook.send(pair.signup())
    await sportsbook.send(deposit(pair.referee_id))
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")

    async def missing() -> dict[str, set[str]]:
        shown = await _shown(stack)
        named = named_metrics().items()
        return {name: by for name, by in named if name not in shown | BY_WALLET}

    assert await wait_until(missing, lambda found: not found, what="metrics", within_s=60) == {}


async def test_the_worker_and_the_courier_say_that_they_are_ready(stack: Connection) -> None:
    urls = (stack.worker_metrics_url, stack.courier_metrics_url)

    async def states() -> list[str]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            answers = [await client.get(url.replace("/metrics", "/readyz")) for url in urls]
        return [answer.json()["status"] for answer in answers]

    ready = ["ready", "ready"]
    assert await wait_until(states, lambda found: found == ready, what="ready", within_s=60)


async def _shown(stack: Connection) -> set[str]:
    """Return the names of the samples of the api, the worker and the courier."""
    key = {"Authorization": f"Bearer {stack.api_key}"}
    urls = (f"{stack.api_url}/metrics", stack.worker_metrics_url, stack.courier_metrics_url)
    async with httpx.AsyncClient(trust_env=False, headers=key) as client:
        pages = [(await client.get(url)).text for url in urls]
    lines = [line for page in pages for line in page.splitlines() if not line.startswith("#")]
    return {line.split("{")[0].split(" ")[0] for line in lines}
