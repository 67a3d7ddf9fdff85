"""All routes of the console."""

from typing import Final

from api.console import (
    campaigns,
    cases,
    ledger,
    oidc,
    operations,
    overview,
    referrals,
    search,
    sign_in,
    static,
)

ROUTERS: Final = (
    static.router,
    sign_in.router,
    oidc.router,
    overview.router,
    cases.router,
    search.router,
    referrals.router,
    campaigns.router,
    ledger.router,
    operations.router,
)
