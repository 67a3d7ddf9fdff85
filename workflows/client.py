"""Client side of the workflows: workflow ids, options of a start, and a connection for tests."""

from typing import TypedDict
from uuid import UUID

from temporalio.client import Client
from temporalio.common import TypedSearchAttributes

from domain.lifecycle.referral import Referral
from workflows.connection import TemporalServer, connect_to
from workflows.referral import visibility


class StartOptions(TypedDict):
    search_attributes: TypedSearchAttributes
    static_summary: str


async def connect(address: str, *, namespace: str, lazy: bool = True) -> Client:
    """Return a client of a server without TLS, such as the embedded one."""
    return await connect_to(TemporalServer(address=address, namespace=namespace), lazy=lazy)


def workflow_id(referral_id: UUID) -> str:
    return f"referral:{referral_id}"


def start_options(referral: Referral) -> StartOptions:
    return {
        "search_attributes": visibility.referral_attributes(referral),
        "static_summary": f"invited by {referral.referrer_id} with {referral.code}",
    }
