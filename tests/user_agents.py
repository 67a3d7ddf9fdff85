"""User agents of browsers and programs that follow links."""

from typing import Final


def safari(*, system: str, version: str) -> str:
    """Return the user agent of Safari on an iPhone; `system` is written like 18_5."""
    return (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) AppleWebKit/605.1.15"
        f" (KHTML, like Gecko) Version/{version} Mobile/15E148 Safari/604.1"
    )


IPHONE: Final = safari(system="17_5", version="17.5")
ANDROID: Final = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Mobile Safari/537.36"
)
WINDOWS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Safari/537.36"
)
MAC: Final = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.5 Safari/605.1.15"
)
"""A Mac, and an iPhone or iPad that asks for desktop pages."""
LINUX: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
GOOGLEBOT: Final = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
LINK_PREVIEW: Final = "facebookexternalhit/1.1"
