"""Client side of the workflows: connection to Temporal, workflow ids, options of a start."""

from typing import Final, TypedDict
from uuid import UUID

from temporalio.client import Client
from temporalio.common import TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import Runtime
from temporalio.service import RetryConfig

from domain.lifecycle.referral import Referral
from workflows.referral import visibility

LAZY_CLIENT_RETRIES: Final = RetryConfig(max_retries=2, max_elapsed_time_millis=2_000)
"""Retries inside one call; the users of a lazy client retry by themselves, so the library's
default of ten seconds would only delay them."""


class StartOptions(TypedDict):
    search_attributes: TypedSearchAttributes
    static_summary: str


async def connect(
    address: str, *, namespace: str, lazy: bool = True, runtime: Runtime | None = None
) -> Client:
    """Connect to Temporal: a lazy client at its first call, any other one now.

    Workers need a client that is not lazy. Raises RuntimeError for such a client while Temporal is
    unreachable. `runtime` exports the SDK's metrics.
    """
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=pydantic_data_converter,
        lazy=lazy,
        retry_config=LAZY_CLIENT_RETRIES if lazy else None,
        runtime=runtime,
    )


def workflow_id(referral_id: UUID) -> str:
    return f"referral:{referral_id}"


def start_options(referral: Referral) -> StartOptions:
    return {
        "search_attributes": visibility.referral_attributes(referral),
        "static_summary": f"invited by {referral.referrer_id} with {referral.code}",
    }
