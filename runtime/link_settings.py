"""Settings of what a player's link leads to: apps, their stores, and the sportsbook's site."""

from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.setting_types import HttpsUrl

_FINGERPRINT: Final = r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}"
_FINGERPRINTS: Final = rf"^{_FINGERPRINT}(?:, ?{_FINGERPRINT})*$"


class LinkSettings(BaseSettings):
    """The apps that open a link, and where else it leads."""

    ios_app_id: str | None = Field(default=None, pattern=r"^[A-Z0-9]{10}\.[A-Za-z0-9.-]+$")
    """Team and bundle id of the app that opens /r/*; apps that are not set are not offered."""
    ios_app_store_url: HttpsUrl | None = None
    android_package: str | None = Field(default=None, pattern=r"^[A-Za-z]\w*(\.[A-Za-z]\w*)+$")
    android_cert_fingerprints: str | None = Field(default=None, pattern=_FINGERPRINTS)
    """SHA-256 fingerprints of the certificates that sign the app, separated by commas."""
    site_url: HttpsUrl | None = None
    """The sportsbook's site, to which the page of an unknown code leads."""
    jurisdiction_header: str | None = None
    """Header in which a trusted proxy sends the visitor's ISO 3166-2 jurisdiction."""
