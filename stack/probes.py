"""Readiness probes of the supervised children."""

import json
from typing import Final

import asyncpg
import httpx
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from stack.child import ChildProcess, ReadinessProbe

_TIMEOUT_S: Final = 2.0
"""Time limit of one probe."""


def returns_ok(url: str) -> ReadinessProbe:
    """Return a probe that succeeds when the URL answers 2xx."""

    async def probe(_: ChildProcess) -> bool:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
            try:
                return (await client.get(url)).is_success
            except httpx.HTTPError:
                return False

    return probe


async def has_logged_ready(process: ChildProcess) -> bool:
    """Return whether the child has printed a JSON line whose "event" is "ready"."""
    return any(_is_ready_line(line) for line in process.read_output().splitlines())


def accepts_queries(dsn: str) -> ReadinessProbe:
    """Return a probe that succeeds when PostgreSQL accepts a connection."""

    async def probe(_: ChildProcess) -> bool:
        try:
            connection = await asyncpg.connect(dsn, timeout=_TIMEOUT_S)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    return probe


def knows_search_attributes(
    address: str, *, namespace: str, names: frozenset[str]
) -> ReadinessProbe:
    """Return a probe that succeeds when Temporal has registered the search attributes."""

    async def probe(_: ChildProcess) -> bool:
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
        logged = json.loads(line)
    except ValueError:
        return False
    return isinstance(logged, dict) and logged.get("event") == "ready"
