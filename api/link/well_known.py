"""Association files that let iOS and Android open links of this site in the app."""

from typing import Any

from fastapi import APIRouter

from api.http.dependencies import Config

router = APIRouter(prefix="/.well-known", tags=["links"])


@router.head("/apple-app-site-association", include_in_schema=False)
@router.get("/apple-app-site-association")
async def show_apple_association(settings: Config) -> dict[str, Any]:
    """Return the Universal Links association: the iOS app that opens `/r/*`.

    It names no app while REFERRALS_IOS_APP_ID is not set.
    """
    app_id = settings.ios_app_id
    details = {"appIDs": [app_id], "components": [{"/": "/r/*", "comment": "Invitations"}]}
    return {"applinks": {"details": [details] if app_id else []}}


@router.head("/assetlinks.json", include_in_schema=False)
@router.get("/assetlinks.json")
async def show_asset_links(settings: Config) -> list[dict[str, Any]]:
    """Return the Android App Links statements: the app that opens links of this site.

    The list is empty unless REFERRALS_ANDROID_PACKAGE and its certificate fingerprints are set.
    """
    package, fingerprints = settings.android_package, settings.android_cert_fingerprints
    if not package or not fingerprints:
        return []
    target = {
        "namespace": "android_app",
        "package_name": package,
        "sha256_cert_fingerprints": [each.strip() for each in fingerprints.split(",")],
    }
    return [{"relation": ["delegate_permission/common.handle_all_urls"], "target": target}]
