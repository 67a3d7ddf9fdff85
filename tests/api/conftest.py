"""A deployment with mobile apps, beside the plain one that all tests share."""

import pytest
from fastapi import FastAPI

from api.app import build_app
from db.engine import Database
from runtime.settings import Settings
from tests.api.link.landing_page import APP_STORE


@pytest.fixture(scope="module")
def app_with_mobile_apps(settings: Settings, database: Database) -> FastAPI:
    """Build a deployment with both mobile apps and a proxy that reports the jurisdiction."""
    changes = {
        "ios_app_store_url": APP_STORE,
        "android_package": "example.book",
        "jurisdiction_header": "X-Visitor-Place",
    }
    return build_app(settings.model_copy(update=changes), database)
