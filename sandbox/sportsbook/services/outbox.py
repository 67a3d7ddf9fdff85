"""The outbox of a service: events for Kafka, in the columns that Debezium's EventRouter expects."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from messaging import topics
from sandbox.sportsbook.services.connections import Connection

OUTBOX_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS outbox (
        id uuid PRIMARY KEY,
        aggregatetype varchar(255) NOT NULL,
        aggregateid varchar(255) NOT NULL,
        type varchar(255) NOT NULL,
        payload jsonb NOT NULL,
        schema_version int NOT NULL DEFAULT 1,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        seq bigint GENERATED ALWAYS AS IDENTITY,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp());
    CREATE INDEX IF NOT EXISTS ix_outbox_cursor ON outbox (xid, seq);
    CREATE TABLE IF NOT EXISTS outbox_cursor (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        xid xid8 NOT NULL DEFAULT '0',
        seq bigint NOT NULL DEFAULT 0);
    INSERT INTO outbox_cursor DEFAULT VALUES ON CONFLICT DO NOTHING;
    CREATE OR REPLACE FUNCTION wake_relay() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NOTIFY outbox; RETURN NULL; END $$;
    CREATE OR REPLACE TRIGGER wake_relay AFTER INSERT ON outbox
        FOR EACH STATEMENT EXECUTE FUNCTION wake_relay();
"""
_INSERT: Final = """
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload)
    VALUES ($1, $2, $3, $4, $5)
"""
_EVENTS: Final = UUID("b2f6d6a4-52c5-4b0e-9a37-0a4f3c8f5c1d")
"""Namespace of the event ids, which are derived: the same act has the same event."""


class EventType(StrEnum):
    SIGNUP_COMPLETED = "SignupCompleted"
    PLAYER_STATUS_CHANGED = "PlayerStatusChanged"
    DEPOSIT_COMPLETED = "DepositCompleted"
    DEPOSIT_REVERSED = "DepositReversed"


TOPICS: Final = {
    EventType.SIGNUP_COMPLETED: topics.SIGNUPS,
    EventType.PLAYER_STATUS_CHANGED: topics.STATUS_CHANGES,
    EventType.DEPOSIT_COMPLETED: topics.DEPOSITS,
    EventType.DEPOSIT_REVERSED: topics.CHARGEBACKS,
}
"""Topic of each type; `aggregatetype` is the topic, by which the EventRouter routes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """An event of a player; `act` names what the service did, such as a deposit's settlement."""

    type: EventType
    act: str
    player_id: str
    occurred_at: datetime
    fields: Mapping[str, object]

    @property
    def id(self) -> UUID:
        return event_id(self.type, self.act)

    @property
    def body(self) -> dict[str, object]:
        """The body as the referral service's contract has it; absent fields are left out."""
        known = {name: value for name, value in self.fields.items() if value is not None}
        return {
            "event_id": str(self.id),
            "occurred_at": self.occurred_at.isoformat(),
            "player_id": self.player_id,
            **known,
        }


def event_id(event_type: EventType, act: str) -> UUID:
    return uuid5(_EVENTS, f"{event_type}:{act}")


async def write_event(connection: Connection, event: OutboxEvent) -> None:
    """Insert an event in the transaction of the act that it tells of."""
    await connection.execute(
        _INSERT,
        event.id,
        TOPICS[event.type],
        event.player_id,
        str(event.type),
        json.dumps(event.body),
    )
