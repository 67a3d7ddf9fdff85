"""Types of settings that would otherwise fail where they are first used, without their name."""

import logging
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, FilePath, SecretStr

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


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


def _check_token(given: SecretStr) -> SecretStr:
    secret = given.get_secret_value()
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise ValueError("Must be of printable ASCII characters, without blanks or line ends")
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
HttpUrl = Annotated[str, Field(pattern=r"^https?://"), UsableUrl]
HttpsUrl = Annotated[str, Field(pattern=r"^https://"), UsableUrl]
Token = Annotated[SecretStr, AfterValidator(_check_token)]
"""A secret that is sent in a header."""
NetworkFile = Annotated[FilePath, AfterValidator(_check_networks)]
