"""How the supervisor knows that a child is ready."""

import json

import asyncpg
import httpx
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from stack.child import ReadinessProbe, Started

_PATIENCE_S = 2.0


def answers(url: str) -> ReadinessProbe:
    """The URL answers 200."""

    async def probe(_: Started) -> bool:
        async with httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as client:
            try:
                return (await client.get(url)).is_success
            except httpx.HTTPError:
                return False

    return probe


async def has_logged_ready(process: Started) -> bool:
    """The child has printed a JSON line whose "event" is "ready", as worker and courier do."""
    return any(_is_ready_line(line) for line in process.printed().splitlines())


def accepts_queries(dsn: str) -> ReadinessProbe:
    """PostgreSQL lets us in."""

    async def probe(_: Started) -> bool:
        try:
            connection = await asyncpg.connect(dsn, timeout=_PATIENCE_S)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    return probe


def knows_search_attributes(address: str, namespace: str, names: frozenset[str]) -> ReadinessProbe:
    """Temporal serves the namespace and has registered the search attributes."""

    async def probe(_: Started) -> bool:
        try:
            client = await Client.connect(address, namespace=namespace)
            listed = await client.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=namespace)
            )
        except (RPCError, RuntimeError):  # the client cannot connect yet
            return False
        return names <= set(listed.custom_attributes)

    return probe


def _is_ready_line(line: str) -> bool:
    try:
        said = json.loads(line)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("event") == "ready"
