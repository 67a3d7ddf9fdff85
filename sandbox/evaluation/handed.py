"""What a page hands on to an app that is installed afterwards: by Google Play, or the clipboard."""

import html
import re
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

from sandbox.evaluation.door import Answer

SERVER_TIMES: Final = (
    "referrer_click_timestamp_server_seconds",
    "install_begin_timestamp_server_seconds",
)
PLAY: Final = "https://play.google.com/store/apps/details"


def installed(store: Answer, *, clicked: datetime, began: datetime) -> dict[str, object]:
    """What the Play Install Referrer library tells an app that came from this page."""
    clicked_s, began_s = int(clicked.timestamp()), int(began.timestamp())
    return {
        "install_referrer": _store_referrer(store) or "utm_medium=organic",
        "referrer_click_timestamp_seconds": clicked_s,
        "install_begin_timestamp_seconds": began_s,
        "referrer_click_timestamp_server_seconds": clicked_s,
        "install_begin_timestamp_server_seconds": began_s,
        "install_version": "3.1.0",
    }


def copied(page: Answer) -> str | None:
    """The link with a token that the page's button to the App Store puts into the clipboard."""
    found = re.search(r'data-copies="(https:[^"]+)"', page.body.decode())
    return html.unescape(found[1]) if found else None


def _store_referrer(page: Answer) -> str | None:
    """Of the way to Google Play, whether the page redirects there or has a button."""
    button = re.search(rf'href="({re.escape(PLAY)}[^"]*)"', page.body.decode())
    address = html.unescape(button[1]) if button else page.header("location")
    return parse_qs(urlsplit(address).query).get("referrer", [None])[0]
