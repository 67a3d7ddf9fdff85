"""Every way into the system, each of which brings values that are for one place alone."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import httpx
from confluent_kafka import Producer
from httpx import AsyncClient
from temporalio.client import (
    Client,
    RPCError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)

from api.console.access import COOKIE
from api.link.routes import VISITOR_COOKIE
from api.v1.asyncapi import document
from messaging.kafka import KafkaCluster
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_invited_pair
from sandbox.sportsbook.requests import ago
from stack import Connection
from tests.api.bodies import campaign, unique
from tests.journeys.engineer import Engineer
from tests.seeds.bodies import Field, fields_of, seeded_body, send
from tests.seeds.headers import PER_REQUEST, header_names
from tests.seeds.messages import definition_of, record_fields, signal_fields, workflow_types
from tests.seeds.values import Planted

AT_ONCE: Final = 16
"""Requests and signals under way at once."""
PATIENCE: Final = timedelta(seconds=2)
"""For answers of workflows that cannot begin."""
COOKIES: Final = (COOKIE, VISITOR_COOKIE, "referral_token", "unheard_of")


@dataclass(slots=True)
class Doors:
    """Brings values through each door, and remembers where each was put."""

    stack: Connection
    sportsbook: SportsbookClient
    engineer: Engineer
    planted: Planted = field(default_factory=Planted)
    workflow_ids: list[str] = field(default_factory=list)
    """Workflows whose histories have to be clean; those that were begun with values are not."""
    player_ids: set[str] = field(default_factory=set)

    async def requests(self) -> None:
        """Put values into every field, parameter and path of the API, one at a time."""
        async with self._caller() as client:
            fields = list(fields_of((await client.get("/openapi.json")).json()))
            known = {"slug": await self._campaign(client), "code": await self._code(client)}
            await _in_turns([self._request(client, one, known=known) for one in fields])
            for webhook in (await client.get("/v1/webhooks")).json()["items"]:
                await client.delete(f"/v1/webhooks/{webhook['webhook_id']}")

    async def headers(self) -> None:
        """Put values into every header, on pages, on routes with a key, and where nothing is."""
        names = header_names()
        parts = [names[at : at + PER_REQUEST] for at in range(0, len(names), PER_REQUEST)]
        async with self._caller() as client:
            code = await self._code(client)
            paths = (f"/r/{code}", "/v1/referrals", "/console", "/embed/nobody", "/nowhere")
            asked: list[Awaitable[Any]] = []
            asked += [self._get(client, path, part) for part in parts for path in paths]
            for name in COOKIES:
                for value in self.planted.each(f"cookie {name}"):
                    asked.append(client.get(f"/r/{code}", headers={"cookie": f"{name}={value}"}))
            for value in self.planted.each("authorization"):
                stranger = {"authorization": f"Bearer {value}"}
                asked.append(client.get("/v1/referrals", headers=stranger))
            await _in_turns(asked)

    async def records(self) -> None:
        """Put values into every field, key and header of every topic."""
        producer = Producer(
            KafkaCluster(bootstrap_servers=self.stack.kafka_bootstrap_servers).producer_properties()
        )
        plain: dict[str, Field] = {}
        for one in record_fields():
            plain[one.route] = one
            for value in self.planted.each(f"{one.route}.{one.path}"):
                body = seeded_body(one, value, code="NOBODYS")
                producer.produce(one.route, json.dumps(body), key=str(body.get("player_id")))
        for topic, one in plain.items():
            for name, value in self._beside(topic):
                body = seeded_body(one, None, code="NOBODYS")
                player = body["player_id"]
                if name == "key":
                    producer.produce(topic, json.dumps(body), key=value)
                elif name == "text":
                    producer.produce(topic, value, key=player)
                elif name == "unknown field":
                    producer.produce(topic, json.dumps(body | {value: value}), key=player)
                else:
                    text = json.dumps(body)
                    producer.produce(topic, text, key=player, headers=[(name, value.encode())])
        assert await asyncio.to_thread(producer.flush, 30) == 0

    async def signals(self) -> None:
        """Put values into every text of every shape, with every signal of a referral's workflow."""
        (kind,) = (one for one in workflow_types().values() if one.__name__ == "ReferralWorkflow")
        for name in definition_of(kind).signals:
            pair = await create_invited_pair(self.sportsbook)
            workflow_id = pair.invitation.workflow_id
            self.workflow_ids.append(workflow_id)
            self.player_ids |= {pair.referrer_id, pair.referee_id}
            await self.engineer.wait_until_started(workflow_id)
            sent = []
            for one in signal_fields():
                value = self.planted.next(f"signal {name}, {one.route}.{one.path}")
                body = seeded_body(one, value, code="NOBODYS", occurred_at=ago(minutes=1))
                if one.path != ("player_id",):
                    body["player_id"] = pair.referee_id
                sent.append(self.engineer.signal(workflow_id, name or "", body))
            await _in_turns(sent)

    async def starts(self, temporal: Client) -> None:
        """Begin each kind of workflow with values; then signal, query and update it with some."""
        await _in_turns(
            [
                self._start(temporal, kind, value)
                for kind in workflow_types().values()
                for value in self.planted.each(f"input of {kind.__name__}")
            ]
        )

    async def _start(self, temporal: Client, kind: type[Any], value: str) -> None:
        definition = definition_of(kind)
        handle: WorkflowHandle[Any, Any] = await temporal.start_workflow(
            definition.name or "",
            {value: value, "referral_id": value, "case_id": value, "kind": value},
            id=f"seeded-{uuid4()}",
            task_queue=self.stack.settings().task_queue,
        )
        for name in (*definition.signals, "unheard_of", value):
            await handle.signal(name or "any", {value: value})
        for name in (*definition.queries, value):
            with suppress(RPCError, WorkflowQueryFailedError):
                await handle.query(name or "any", value, rpc_timeout=PATIENCE)
        for name in (*definition.updates, value):
            with suppress(WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowUpdateFailedError):
                await handle.execute_update(name or "any", value, rpc_timeout=PATIENCE)
        await handle.terminate()

    def _beside(self, topic: str) -> Iterator[tuple[str, str]]:
        """Return places of a record beside its value's fields, with values for them."""
        described = document()["components"]["messages"].values()
        known = {n for one in described for n in one.get("headers", {}).get("properties", {})}
        for name in ("key", "text", "unknown field", *sorted(known), "unheard_of"):
            for value in self.planted.each(f"{name} of {topic}"):
                yield name, value

    async def _request(self, client: AsyncClient, one: Field, *, known: dict[str, str]) -> None:
        value = self.planted.next(str(one))
        answer = await send(client, one, value, known=known)
        assert answer.status_code < 500, (str(one), answer.text)

    async def _get(self, client: AsyncClient, path: str, names: Sequence[str]) -> None:
        headers = {name: self.planted.next(f"header {name}") for name in names}
        answer = await client.get(path, headers=headers)
        # A speculative load is answered with 503.
        assert answer.status_code in {*range(200, 500), 503}, (path, names, answer.text)

    async def _campaign(self, client: AsyncClient) -> str:
        """Create a campaign of this journey's own, since its values end and pause it."""
        body = campaign(slug=unique("seeded"))
        (await client.post("/v1/campaigns", json=body)).raise_for_status()
        return str(body["slug"])

    async def _code(self, client: AsyncClient) -> str:
        answer = await client.post("/v1/codes", json={"player_id": unique("sharer")})
        return str(answer.raise_for_status().json()["code"])

    @asynccontextmanager
    async def _caller(self) -> AsyncIterator[AsyncClient]:
        key = {"authorization": f"Bearer {self.stack.api_key}"}
        async with httpx.AsyncClient(
            base_url=self.stack.api_url, headers=key, trust_env=False, timeout=30
        ) as client:
            yield client


async def _in_turns(acts: Sequence[Awaitable[Any]]) -> None:
    """Do all of the acts, some of them at once."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def act(one: Awaitable[Any]) -> None:
        async with slots:
            await one

    await asyncio.gather(*(act(one) for one in acts))
