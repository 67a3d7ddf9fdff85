"""Types of settings that are checked at the start, where a wrong one is named."""

import logging
import re
from collections.abc import Set as AbstractSet
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, FilePath, SecretStr

_HOST: Final = re.compile(r"\[[0-9a-fA-F:.]+\]|[\w-]+(?:\.[\w-]+)*\.?")
"""A host in a URL's authority, an international one included; no wildcard, no percent sign."""
_EXAMPLE: Final = "https://refer.example"
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def check_currencies(named: AbstractSet[str]) -> None:
    """Raise ValueError for a currency in which no event can be."""
    from referrals.intake.fields import CURRENCIES  # noqa: PLC0415 - slow to load

    unknown = sorted(named - CURRENCIES)
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is not an ISO 4217 currency code")


def _check_log_level(given: str) -> str:
    if given.upper() not in logging.getLevelNamesMapping():
        raise ValueError(f"Must be one of {', '.join(LOG_LEVELS)}")
    return given


def _check_url(given: str) -> str:
    try:
        parts = urlsplit(given)
        is_usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or not given.isprintable() or " " in given:
        raise ValueError("Must be a URL such as https://service.example")
    return given


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


def _check_token(given: SecretStr) -> SecretStr:
    secret = given.get_secret_value()
    if not (secret.isascii() and secret.isprintable()) or secret != secret.strip():
        raise ValueError("Must be of printable ASCII characters, without blanks at its ends")
    return given


def _check_networks(path: FilePath) -> FilePath:
    # Late: a command that has no such file starts without the library.
    import maxminddb  # noqa: PLC0415

    try:
        maxminddb.open_database(str(path), maxminddb.MODE_MMAP).close()
    except (maxminddb.InvalidDatabaseError, OSError, ValueError):
        raise ValueError("Must name a file in MaxMind's format that can be read") from None
    return path


LogLevel = Annotated[str, AfterValidator(_check_log_level)]
UsableUrl = AfterValidator(_check_url)
"""Check of a URL whose pattern has been matched: that it names a host, and a port if any."""
PublicUrl = Annotated[str, AfterValidator(_check_origin)]
"""An http or https origin; a slash at its end is dropped, and a path is refused."""
HttpUrl = Annotated[str, Field(pattern=r"^https?://"), UsableUrl]
HttpsUrl = Annotated[str, Field(pattern=r"^https://"), UsableUrl]
Token = Annotated[SecretStr, AfterValidator(_check_token)]
"""A secret that is sent in a header."""
NetworkFile = Annotated[FilePath, AfterValidator(_check_networks)]
