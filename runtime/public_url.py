"""Address at which players, apps and people reach the api."""

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator

_HOST: Final = re.compile(r"\[[0-9a-fA-F:.]+\]|[\w-]+(?:\.[\w-]+)*\.?")
"""A host in a URL's authority, an international one included; no wildcard, no percent sign."""
_EXAMPLE: Final = "https://refer.example"


def _check_origin(written: str) -> str:
    """Return an origin without the slash at its end; a path would not be honoured everywhere."""
    url = written.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
        has_origin = parts.scheme in {"http", "https"} and parts.port != 0
        has_origin = has_origin and _HOST.fullmatch(host) is not None
    except ValueError:
        has_origin = False
    if not has_origin or not url.isprintable():
        raise ValueError(f"Must be an origin such as {_EXAMPLE}")
    if parts.path or "?" in url or "#" in url:
        raise ValueError(
            f"Must be an origin such as {_EXAMPLE}, without a path: the apps' associations, the"
            " console and the pages are at its root"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


PublicUrl = Annotated[str, AfterValidator(_check_origin)]
"""An http or https origin; a slash at its end is dropped, and a path is refused."""
