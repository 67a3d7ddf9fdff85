"""Address of a Postgres database: its URL parsed once, and connections to it."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

CONNECT_TIMEOUT_S: Final = 5.0
DEFAULT_PORT: Final = 5432
SCHEME: Final = "postgresql+asyncpg"
SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
CERTIFICATE_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
TLS_VERSIONS: Final = ("TLSv1.2", "TLSv1.3")
TARGETS: Final = ("any", "primary", "standby", "read-write", "read-only", "prefer-standby")
SYSTEM_CERTIFICATES: Final = "system"
"""Value of `sslrootcert` for the authorities that the operating system trusts, as in libpq."""
MAX_SECONDS: Final = 3600
MAX_CACHE_SIZE: Final = 10_000


class Pooler(StrEnum):
    """Connection poolers that may stand between this process and Postgres."""

    NONE = "none"
    SESSION = "session"


CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "ssl": SSL_MODES,
    "sslmode": SSL_MODES,
    "ssl_min_protocol_version": TLS_VERSIONS,
    "ssl_max_protocol_version": TLS_VERSIONS,
    "target_session_attrs": TARGETS,
    "pooler": tuple(Pooler),
}
"""Parameters that have one of a few values."""
PORTS: Final = range(1, 65536)
BOUNDS: Final = {
    "connect_timeout": range(1, MAX_SECONDS + 1),
    "command_timeout": range(1, MAX_SECONDS + 1),
    "statement_cache_size": range(MAX_CACHE_SIZE + 1),
    "prepared_statement_cache_size": range(MAX_CACHE_SIZE + 1),
    "port": PORTS,
}
"""Numeric parameters, with what they may be; times are in seconds, and none means for ever."""
SERVER_SETTINGS: Final = ("application_name", "options")
_TLS: Final = (
    "sslmode",
    *CERTIFICATE_FILES,
    "sslpassword",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
)
PARAMETERS: Final = (
    "ssl",
    *_TLS,
    *SERVER_SETTINGS,
    "host",
    *BOUNDS,
    "target_session_attrs",
    "pooler",
)
"""Parameters of a database URL, named as libpq and asyncpg name them; `ssl` is `sslmode`."""


class DatabaseAddressError(ValueError):
    """A database URL that cannot be used; its message never holds the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddress:
    """A database's address as asyncpg takes it, the same for the pool and the listener."""

    connect_arguments: Mapping[str, Any] = field(repr=False)
    server_settings: Mapping[str, str]
    prepared_statement_cache_size: int = 100
    command_timeout_s: float | None = None
    """Deadline of a statement in the client; None for the default of the code that connects."""
    pooler: Pooler = Pooler.NONE

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL; DatabaseAddressError for an unknown parameter or an impossible value."""
        url = url.strip()  # files of secrets end with a newline
        parsed = _parse_url(url)
        _check_names(url)
        query = _read_query(parsed)
        command_timeout = query.get("command_timeout")
        return cls(
            connect_arguments=_connect_arguments(parsed, query),
            server_settings={name: query[name] for name in SERVER_SETTINGS if name in query},
            prepared_statement_cache_size=int(query.get("prepared_statement_cache_size", 100)),
            command_timeout_s=float(command_timeout) if command_timeout else None,
            pooler=Pooler(query.get("pooler", Pooler.NONE)),
        )


def check_database_url(url: str) -> str:
    """Return the URL as it is; DatabaseAddressError for one that cannot be used."""
    DatabaseAddress.parse(url)
    return url


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The library's own message quotes the URL, and so the password.
        raise DatabaseAddressError(
            f"Must be a URL such as {SCHEME}://user:password@host:{DEFAULT_PORT}/database"
        ) from None
    if parsed.drivername != SCHEME:
        raise DatabaseAddressError(f"Must begin with {SCHEME}://")
    return parsed


def _check_names(url: str) -> None:
    """Refuse unknown parameters, and those without a value, which the library would pass over."""
    given = parse_qsl(url.partition("?")[2], keep_blank_values=True)
    if unknown := sorted({name for name, _ in given} - set(PARAMETERS)):
        raise DatabaseAddressError(
            f"Unknown parameter {', '.join(unknown)}; the parameters are {', '.join(PARAMETERS)}"
        )
    if blank := sorted({name for name, value in given if not value}):
        raise DatabaseAddressError(f"Parameter {', '.join(blank)} has no value")


def _read_query(url: URL) -> dict[str, str]:
    query = {}
    for name, value in url.query.items():
        if not isinstance(value, str) and name != "host":
            raise DatabaseAddressError(f"Parameter {name} must not appear twice")
        query[name] = value if isinstance(value, str) else ",".join(value)
    if "ssl" in query and "sslmode" in query:
        raise DatabaseAddressError("Parameters ssl and sslmode mean the same: give one")
    for name, value in query.items():
        _check_value(name, value)
    if "ssl" in query:
        query["sslmode"] = query.pop("ssl")
    return query


def _check_value(name: str, value: str) -> None:
    if name in CHOICES and value not in CHOICES[name]:
        raise DatabaseAddressError(f"Parameter {name} must be one of {', '.join(CHOICES[name])}")
    if name in BOUNDS and not _is_number_in(BOUNDS[name], value):
        raise DatabaseAddressError(
            f"Parameter {name} must be a whole number from {BOUNDS[name][0]} to {BOUNDS[name][-1]}"
        )
    if not value.isprintable():
        raise DatabaseAddressError(f"Parameter {name} must not contain control characters")
    is_file = name in CERTIFICATE_FILES and value != SYSTEM_CERTIFICATES
    if is_file and not Path(value).is_file():
        raise DatabaseAddressError(f"Parameter {name} names a file that cannot be found")


def _is_number_in(bounds: range, text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) in bounds


def _connect_arguments(url: URL, query: Mapping[str, str]) -> dict[str, Any]:
    hosts, ports = _read_hosts(url, query)
    arguments: dict[str, Any] = {
        # asyncpg reads certificates' parameters from a DSN only.
        "dsn": f"postgresql://?{urlencode(_tls_parameters(query))}",
        "host": hosts,
        "port": ports,
        "user": url.username,
        "password": url.password,
        "database": url.database,
        "timeout": float(query.get("connect_timeout", CONNECT_TIMEOUT_S)),
        "statement_cache_size": int(query.get("statement_cache_size", 100)),
        "target_session_attrs": query.get("target_session_attrs"),
    }
    return {name: value for name, value in arguments.items() if value is not None}


def _tls_parameters(query: Mapping[str, str]) -> dict[str, str]:
    given = {"sslmode": "prefer"} | {name: query[name] for name in _TLS if name in query}
    if given["sslmode"].startswith("verify") and "sslrootcert" not in given:
        raise DatabaseAddressError(
            f"Parameter sslmode={given['sslmode']} needs sslrootcert: a file, or"
            f" {SYSTEM_CERTIFICATES} for the authorities that the operating system trusts"
        )
    if given.get("sslrootcert") == SYSTEM_CERTIFICATES:
        given["sslrootcert"] = ssl.get_default_verify_paths().cafile or ""
    _check_certificates(given)
    return given


def _check_certificates(given: Mapping[str, str]) -> None:
    """Load what the parameters name, so that a wrong file stops the start and no connection."""
    if "sslkey" in given and "sslcert" not in given:
        raise DatabaseAddressError("Parameter sslkey needs sslcert")
    lowest, highest = (given.get(f"ssl_{end}_protocol_version") for end in ("min", "max"))
    if lowest and highest and lowest > highest:
        raise DatabaseAddressError("Parameter ssl_min_protocol_version is above the maximum")
    context = ssl.create_default_context()
    for name in ("sslrootcert", "sslcrl"):
        if path := given.get(name):
            _load(name, partial(context.load_verify_locations, path))
    if path := given.get("sslcert"):
        key, password = given.get("sslkey"), given.get("sslpassword", "")
        _load("sslcert or sslkey", partial(context.load_cert_chain, path, key, password))


def _load(name: str, load: Callable[[], None]) -> None:
    try:
        load()
    except (OSError, ValueError) as fault:
        raise DatabaseAddressError(
            f"Parameter {name} names a file that cannot be read as such ({type(fault).__name__})"
        ) from None


def _read_hosts(url: URL, query: Mapping[str, str]) -> tuple[list[str] | None, list[int] | None]:
    """Return the hosts of `?host=one:5432&host=two:5432`, or that of the URL's authority."""
    default = int(query.get("port", DEFAULT_PORT if url.port is None else url.port))
    if default not in PORTS:
        raise DatabaseAddressError(f"Port {default} is not one from 1 to {PORTS[-1]}")
    if "host" not in query:
        return ([url.host], [default]) if url.host else (None, None)
    hosts, ports = [], []
    for named in query["host"].split(","):
        # A path of a Unix socket, or an IPv6 address in brackets, may hold colons.
        host, colon, port = named.rpartition(":")
        if not colon or not port.isdecimal() or _is_ipv6(named):
            host, port = named, str(default)
        if not host.strip("[]"):
            raise DatabaseAddressError("Parameter host names an empty host")
        if ":" in host and not host.startswith("/") and not _is_ipv6(host.strip("[]")):
            raise DatabaseAddressError(
                f"Parameter host names {host}, which is neither host:port nor an IPv6 address"
            )
        if not _is_number_in(PORTS, port):
            raise DatabaseAddressError(f"Port {port} is not one from 1 to {PORTS[-1]}")
        hosts.append(host.strip("[]"))
        ports.append(int(port))
    return hosts, ports


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
