"""A link as a QR code, for a visitor at a desktop whose phone has the app."""

from functools import lru_cache
from typing import Final

import segno
from markupsafe import Markup

QUIET_ZONE: Final = 4
"""Light modules around the code, as ISO/IEC 18004 asks for."""


@lru_cache(1024)
def qr_code(url: str) -> Markup:
    """SVG without styles or ids, so that it may stand in any page."""
    made = segno.make(url, error="m", micro=False)
    svg = made.svg_inline(border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True)
    return Markup(svg)  # noqa: S704 # Segno draws it; nothing of the URL is in it as text.
