"""What iOS and Android ask for before they open links of this site in the app."""

from typing import Any

from fastapi import APIRouter

from api.http.dependencies import Config

router = APIRouter(prefix="/.well-known", tags=["links"])


@router.get("/apple-app-site-association")
async def show_apple_association(settings: Config) -> dict[str, Any]:
    """Universal Links: the app that opens `/r/*`; none while REFERRALS_IOS_APP_ID is not set."""
    app_id = settings.ios_app_id
    links = {"appIDs": [app_id], "components": [{"/": "/r/*", "comment": "Invitations"}]}
    return {"applinks": {"details": [links] if app_id else []}}


@router.get("/assetlinks.json")
async def show_asset_links(settings: Config) -> list[dict[str, Any]]:
    """Android App Links: the app of REFERRALS_ANDROID_PACKAGE, if its certificates are set."""
    package, prints = settings.android_package, settings.android_cert_fingerprints
    if not package or not prints:
        return []
    target = {
        "namespace": "android_app",
        "package_name": package,
        "sha256_cert_fingerprints": [each.strip() for each in prints.split(",")],
    }
    return [{"relation": ["delegate_permission/common.handle_all_urls"], "target": target}]
