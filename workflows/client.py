"""How this service reaches Temporal, and what every starter of a referral adds to its start."""

from typing import Final, TypedDict

from temporalio.client import Client
from temporalio.common import TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import Runtime
from temporalio.service import RetryConfig

from domain.lifecycle.referral import Referral
from workflows.referral import search

RETRIES: Final = RetryConfig(max_retries=2, max_elapsed_time_millis=2_000)
"""Who uses a lazy client tries again by itself; ten seconds of the library's own are too many."""


class StartOptions(TypedDict):
    search_attributes: TypedSearchAttributes
    static_summary: str


async def connect(
    address: str, namespace: str, *, lazy: bool = True, runtime: Runtime | None = None
) -> Client:
    """A lazy client connects when it is first used, so that nothing waits for Temporal to be up.

    Workers cannot use a lazy one; without it, RuntimeError when Temporal is away. `runtime` says
    where metrics are shown.
    """
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=pydantic_data_converter,
        lazy=lazy,
        retry_config=RETRIES if lazy else None,
        runtime=runtime,
    )


def start_options(referral: Referral) -> StartOptions:
    return {
        "search_attributes": search.of_referral(referral),
        "static_summary": f"invited by {referral.referrer_id} with {referral.code}",
    }
