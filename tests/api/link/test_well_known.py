"""Association files by which phones open links in the app."""

import pytest
from fastapi import FastAPI
from httpx import Response
from pydantic import ValidationError

from api.app import build_app
from db.engine import Database
from runtime.settings import Settings
from tests.fixtures.api_client import browser

APPLE = "/.well-known/apple-app-site-association"
GOOGLE = "/.well-known/assetlinks.json"
PRINTS = (":".join(["0A"] * 32), ":".join(["FF"] * 32))


async def fetch(app: FastAPI, path: str) -> Response:
    async with browser(app) as phone:
        answer = await phone.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    return answer


async def test_a_deployment_without_apps_claims_no_links(app: FastAPI) -> None:
    assert (await fetch(app, APPLE)).json() == {"applinks": {"details": []}}
    assert (await fetch(app, GOOGLE)).json() == []


async def test_links_open_in_the_apps_that_are_set(settings: Settings, database: Database) -> None:
    apps = {
        "ios_app_id": "ABCDE12345.example.book",
        "android_package": "example.book",
        "android_cert_fingerprints": ", ".join(PRINTS),
    }
    app = build_app(Settings.model_validate(settings.model_dump() | apps), database)
    (details,) = (await fetch(app, APPLE)).json()["applinks"]["details"]
    assert details["appIDs"] == ["ABCDE12345.example.book"]
    assert [component["/"] for component in details["components"]] == ["/r/*"]
    (statement,) = (await fetch(app, GOOGLE)).json()
    assert statement == {
        "relation": ["delegate_permission/common.handle_all_urls"],
        "target": {
            "namespace": "android_app",
            "package_name": "example.book",
            "sha256_cert_fingerprints": list(PRINTS),
        },
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ios_app_id", "example.book"),
        ("ios_app_store_url", "http://apps.example/app"),
        ("ios_app_store_url", "javascript:alert(1)"),
        ("android_package", "book"),
        ("android_cert_fingerprints", "0A:0B"),
        ("android_cert_fingerprints", f"{PRINTS[0]};{PRINTS[1]}"),
    ],
)
def test_a_process_does_not_start_with_an_app_that_cannot_be(
    settings: Settings, name: str, value: str
) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate(settings.model_dump() | {name: value})
