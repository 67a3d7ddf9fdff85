"""Dependencies of routes: the objects made in main(), and the time."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from api.http.observability import Metrics
from db.engine import Database
from domain.privacy import Hasher
from referrals.attribution.clicks.batching import ClickBatches
from referrals.attribution.tokens import Tokens
from referrals.intake.batching import FactBatches
from referrals.intake.origins import Networks
from referrals.webhooks.secrets import SecretKey
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Recording:
    """The parts with which an event is recorded."""

    database: Database
    batches: FactBatches
    hasher: Hasher
    networks: Networks | None


# Coroutines that await nothing: FastAPI would run plain functions in a thread, twice a request.
async def database_of(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def clicks_of(request: Request) -> ClickBatches:
    clicks: ClickBatches = request.app.state.clicks
    return clicks


async def settings_of(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def hasher_of(request: Request) -> Hasher:
    hasher: Hasher = request.app.state.hasher
    return hasher


async def recording_of(request: Request) -> Recording:
    recording: Recording = request.app.state.recording
    return recording


async def tokens_of(request: Request) -> Tokens:
    tokens: Tokens = request.app.state.tokens
    return tokens


async def webhook_key_of(request: Request) -> SecretKey:
    key: SecretKey = request.app.state.webhook_key
    return key


async def metrics_of(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


async def current_time() -> datetime:
    return datetime.now(UTC)


async def time_of(request: Request) -> datetime:
    """Return what `Now` is in a route: the time, or what an application has put in its place."""
    read = request.app.dependency_overrides.get(current_time, current_time)
    now: datetime | Awaitable[datetime] = read()
    return now if isinstance(now, datetime) else await now


Db = Annotated[Database, Depends(database_of)]
Clicks = Annotated[ClickBatches, Depends(clicks_of)]
Config = Annotated[Settings, Depends(settings_of)]
Hashes = Annotated[Hasher, Depends(hasher_of)]
EventRecording = Annotated[Recording, Depends(recording_of)]
ReferralTokens = Annotated[Tokens, Depends(tokens_of)]
WebhookKey = Annotated[SecretKey, Depends(webhook_key_of)]
MetricsDep = Annotated[Metrics, Depends(metrics_of)]
Now = Annotated[datetime, Depends(current_time)]
