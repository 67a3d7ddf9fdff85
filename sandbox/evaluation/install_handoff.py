"""Data that the landing page passes to an app installed later: by Google Play or clipboard."""

import html
import re
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

from sandbox.evaluation.in_process_client import Response

SERVER_TIMES: Final = (
    "referrer_click_timestamp_server_seconds",
    "install_begin_timestamp_server_seconds",
)
PLAY: Final = "https://play.google.com/store/apps/details"


def play_install_referrer(
    store: Response, *, clicked_at: datetime, began_at: datetime
) -> dict[str, object]:
    """Return what the Play Install Referrer library reports to an app that came from this page."""
    clicked_s, began_s = int(clicked_at.timestamp()), int(began_at.timestamp())
    return {
        "install_referrer": _store_referrer(store) or "utm_medium=organic",
        "referrer_click_timestamp_seconds": clicked_s,
        "install_begin_timestamp_seconds": began_s,
        "referrer_click_timestamp_server_seconds": clicked_s,
        "install_begin_timestamp_server_seconds": began_s,
        "install_version": "3.1.0",
    }


def copied_link(page: Response) -> str | None:
    """Return the link with a token that the page's App Store button puts on the clipboard."""
    found = re.search(r'data-copies="(https:[^"]+)"', page.body.decode())
    return html.unescape(found[1]) if found else None


def _store_referrer(page: Response) -> str | None:
    """Return the referrer in Google Play's address: of the redirect, or of the page's button."""
    button = re.search(rf'href="({re.escape(PLAY)}[^"]*)"', page.body.decode())
    address = html.unescape(button[1]) if button else page.header("location")
    return parse_qs(urlsplit(address).query).get("referrer", [None])[0]
