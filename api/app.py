"""The HTTP door: the application, made of its routes, and the process that serves it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import uvicorn
from fastapi import APIRouter, FastAPI

from api.console import routes as console
from api.embed import routes as embed
from api.http import openapi
from api.http.authorisation import ApiKeyCache
from api.http.bounds.middleware import BoundsMiddleware
from api.http.bounds.protocol import BoundedProtocol
from api.http.dependencies import Recording
from api.http.errors import install_error_handlers
from api.http.limits.limiter import Limiter
from api.http.observability import Metrics, ObservabilityMiddleware
from api.http.openapi import problem_responses
from api.http.security_headers import SecurityHeadersMiddleware, default_headers
from api.link import browser_script, well_known
from api.link import routes as links
from api.link.landing import preview_image
from api.reference import page as reference
from api.v1 import (
    allowance,
    asyncapi,
    attributions,
    cases,
    clicks,
    codes,
    events,
    first_open,
    health,
    ledger,
    lists,
    players,
    preferences,
    rebinds,
    referrals,
    reviews,
    rewards,
    rule_sets,
    shares,
    webhooks,
)
from api.v1.campaigns import condition_fields, explanations, rates, simulations, switches
from api.v1.campaigns import routes as campaigns
from api.v1.ledger import CoalescingVerifier, ask_verifier
from api.v1.reports import routes as reports
from api.warm_up import warm_up
from db.engine import Database
from integrations.identity_provider import OpenIdProvider
from integrations.network_database import open_networks
from referrals.attribution.clicks.batching import ClickBatches
from referrals.attribution.tokens import Tokens
from referrals.intake.batching import FactBatches
from referrals.reports.sources import ReportSource
from referrals.webhooks.secrets import SecretKey
from runtime.exit import call_on_stop
from runtime.pool_metrics import show_pool
from runtime.settings import Settings
from runtime.sign_in_settings import is_safe
from workflows.temporal_probe import TemporalProbe

SHUTDOWN_GRACE_S: Final = 10
"""Time that requests under way have to finish when the process is asked to stop, in seconds."""
KEEP_ALIVE_S: Final = 620
"""Seconds for which an idle connection stays open: longer than load balancers keep theirs (60 s at
nginx and AWS, 600 s at Google Cloud), so that none sends a request into one that is closing."""

PUBLIC_ROUTERS: Final = (
    health.router,
    asyncapi.router,
    links.pages,
    links.router,
    preview_image.router,
    well_known.router,
    reference.router,
    browser_script.router,
    embed.pages,
    *console.ROUTERS,
)
BUSY_ROUTERS: Final = (events.router, links.pages, links.router)
"""Routers that a request is matched with first: behind all others, that was a fifth of its CPU.
The page of a link without a code goes before the links, which would take it for a code."""
AUTHENTICATED_ROUTERS: Final = (
    codes.router,
    shares.router,
    clicks.router,
    first_open.router,
    rebinds.router,
    attributions.router,
    events.router,
    referrals.router,
    players.router,
    allowance.router,
    preferences.router,
    embed.router,
    rewards.router,
    reviews.router,
    cases.router,
    condition_fields.router,
    explanations.router,
    simulations.router,
    campaigns.router,
    switches.router,
    rates.router,
    ledger.router,
    lists.router,
    rule_sets.router,
    reports.router,
    webhooks.router,
)


def build_app(
    settings: Settings, database: Database, *, warehouse: ReportSource | None = None
) -> FastAPI:
    """Build the application, which connects to nothing yet; the caller closes the database.

    Reports that events alone tell are read from the warehouse, where there is one.
    """
    app = FastAPI(
        title="Referrals",
        version="1",
        description=openapi.DESCRIPTION,
        responses=problem_responses(*openapi.DEFAULT_PROBLEMS),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    metrics = Metrics()
    app.state.settings = settings
    app.state.database = database
    app.state.warehouse = warehouse
    app.state.api_key_cache = ApiKeyCache(database)
    app.state.metrics = metrics
    show_pool(
        metrics.registry, in_use=database.connections_in_use, size=settings.database_pool_size
    )
    app.state.hasher = hasher = settings.hasher
    app.state.networks = networks = open_networks(settings.network_database)
    app.state.recording = Recording(database, FactBatches(database, door="http"), hasher, networks)
    app.state.clicks = ClickBatches(database)
    app.state.tokens = Tokens(*settings.token_keys)
    app.state.limiter = Limiter(database, hasher=hasher, rules=settings.effective_rate_limits)
    app.state.webhook_key = SecretKey(*settings.token_keys)
    app.state.identity_provider = _identity_provider(settings)
    app.state.temporal_probe = TemporalProbe(settings.temporal)
    app.state.verifier = CoalescingVerifier(partial(ask_verifier, database))
    refusals = problem_responses("unauthorized", "missing_scope")
    for router in sorted((*PUBLIC_ROUTERS, *AUTHENTICATED_ROUTERS), key=_place):
        app.include_router(router, responses=None if router in PUBLIC_ROUTERS else refusals)
    install_error_handlers(app)
    app.add_middleware(BoundsMiddleware)
    app.add_middleware(ObservabilityMiddleware, metrics=metrics)
    app.add_middleware(SecurityHeadersMiddleware, public_url=settings.public_url)
    routers = (*PUBLIC_ROUTERS, *AUTHENTICATED_ROUTERS)
    openapi.install(app, [route for router in routers for route in router.routes])
    return app


def _place(router: APIRouter) -> int:
    return BUSY_ROUTERS.index(router) if router in BUSY_ROUTERS else len(BUSY_ROUTERS)


def _identity_provider(settings: Settings) -> OpenIdProvider | None:
    client = settings.oidc_client
    return client and OpenIdProvider(
        client.issuer,
        client_id=client.client_id,
        client_secret=client.client_secret,
        scopes=settings.oidc_scopes,
        is_safe=is_safe,
    )


def main(settings: Settings, warehouse: ReportSource | None = None) -> int:
    """Serve until SIGTERM or SIGINT, finish the requests under way, and return the exit code."""
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    config = server_config(settings, build_app(settings, database, warehouse=warehouse))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        return runner.run(_serve(_Server(config), database))


def server_config(
    settings: Settings, app: FastAPI, protocol: type[BoundedProtocol] = BoundedProtocol
) -> uvicorn.Config:
    headers = default_headers(settings.public_url)
    return uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        http=type(protocol.__name__, (protocol,), {"refusal_headers": headers}),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        lifespan="off",
    )


async def _serve(server: "_Server", database: Database) -> int:
    await warm_up(database)
    try:
        await server.serve()
    finally:
        await database.close()
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Server that stops on a signal and returns, where uvicorn would raise the signal again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        call_on_stop(lambda number: self.handle_exit(number, None))
        yield
