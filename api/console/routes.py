"""All routes of the console."""

from typing import Final

from api.console import (
    campaigns,
    cases,
    elsewhere,
    ledger,
    oidc,
    operations,
    overview,
    referrals,
    search,
    sign_in,
    static,
)
from api.console.builder import drafting
from api.console.builder import routes as builder
from api.console.offers import explanations, simulations, switches

ROUTERS: Final = (
    static.router,
    sign_in.router,
    oidc.router,
    overview.router,
    cases.router,
    search.router,
    referrals.router,
    explanations.router,
    simulations.router,
    switches.router,
    builder.router,
    drafting.router,
    campaigns.router,
    ledger.router,
    operations.router,
    elsewhere.router,  # after all others
)
