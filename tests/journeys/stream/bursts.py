"""Bursts of the sportsbook's services, in which something is killed."""

import asyncio
from functools import partial
from typing import Final

from messaging.topics import INBOUND
from sandbox.sportsbook.lives import CONVERGED_WITHIN_S, Lives
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.topic_reader import count_lag
from stack import Connection

AT_ONCE: Final = 4
LIVES_BETWEEN: Final = 4
"""Lives begun between two crashes."""


async def wait_for_more_lives(lives: Lives) -> None:
    async def count() -> int:
        return len(lives.begun)

    goal = len(lives.begun) + LIVES_BETWEEN
    await wait_until(
        count, lambda begun: begun >= goal, what=f"{goal} lives", within_s=CONVERGED_WITHIN_S
    )


async def wait_until_all_is_read(stack: Connection) -> None:
    await wait_until(
        partial(
            asyncio.to_thread,
            count_lag,
            stack.kafka_bootstrap_servers or "",
            INBOUND,
            group=stack.settings().kafka_consumer_group,
        ),
        lambda lag: lag == 0,
        what="a lag of 0",
        within_s=CONVERGED_WITHIN_S,
    )
