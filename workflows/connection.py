"""Connection to Temporal: its address, TLS, API key and payload codec, and clients of it."""

import importlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)
from temporalio.envconfig import ClientConfigProfile
from temporalio.runtime import Runtime
from temporalio.service import ConnectConfig, KeepAliveConfig, RetryConfig, ServiceClient, TLSConfig

from workflows.payloads import DATA_CONVERTER

LAZY_CLIENT_RETRIES: Final = RetryConfig(max_retries=2, max_elapsed_time_millis=2_000)
"""Retries inside one call; the users of a lazy client retry by themselves, so the library's
default of ten seconds would only delay them."""
KEEP_ALIVE: Final = KeepAliveConfig(interval_millis=11_000, timeout_millis=5_000)
"""Finds a dead connection in 16 seconds; servers refuse pings more often than every ten."""
DEFAULT_NAMESPACE: Final = "default"
MAX_PORT: Final = 65_535
_ADDRESS: Final = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s/?#:,\[\]]+):(?P<port>\d{1,5})", re.ASCII)


class TemporalSettings(Protocol):
    """The settings that say how Temporal is reached."""

    @property
    def temporal_address(self) -> str | None: ...
    @property
    def temporal_namespace(self) -> str | None: ...
    @property
    def temporal_tls(self) -> bool | None: ...
    @property
    def temporal_tls_ca_file(self) -> Path | None: ...
    @property
    def temporal_tls_cert_file(self) -> Path | None: ...
    @property
    def temporal_tls_key_file(self) -> Path | None: ...
    @property
    def temporal_tls_server_name(self) -> str | None: ...
    @property
    def temporal_api_key(self) -> SecretStr | None: ...
    @property
    def temporal_payload_codec(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalServer:
    """A Temporal server and the way to reach it, the same for every process."""

    address: str
    namespace: str = DEFAULT_NAMESPACE
    tls: bool | TLSConfig = field(default=False, repr=False)
    api_key: str | None = field(default=None, repr=False)
    rpc_metadata: dict[str, str] = field(default_factory=dict, repr=False)
    codec: PayloadCodec | None = None

    @property
    def data_converter(self) -> DataConverter:
        if self.codec is None:
            return DATA_CONVERTER
        return replace(
            DATA_CONVERTER,
            payload_codec=self.codec,
            failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
        )


def read_server(settings: TemporalSettings) -> TemporalServer:
    """Read the settings; without an address among them, also the SDK's own configuration.

    That is TEMPORAL_ADDRESS and its siblings, or a profile of a TOML file. Raises ValueError, which
    names the setting, for what cannot be used.
    """
    server = _read_sdk_profile() if settings.temporal_address is None else None
    address = (settings.temporal_address or (server.address if server else "")).strip()
    if not address:
        raise ValueError("set REFERRALS_TEMPORAL_ADDRESS, or TEMPORAL_ADDRESS or a profile with it")
    written = _ADDRESS.fullmatch(address)
    if written is None or not 0 < int(written["port"]) <= MAX_PORT:
        raise ValueError(
            f"the address of Temporal must be host:port, without a scheme: {address!r}"
        )
    server = replace(server or TemporalServer(address=address), address=address)
    if settings.temporal_api_key is not None:
        key = settings.temporal_api_key.get_secret_value()
        server = replace(server, api_key=key, tls=server.tls or True)
    return replace(
        server,
        namespace=settings.temporal_namespace or server.namespace,
        tls=_read_tls(settings, server.tls),
        codec=_load_codec(settings.temporal_payload_codec),
    )


def is_configured(settings: TemporalSettings) -> bool:
    """Return whether an address is set, by us or in the SDK's own configuration."""
    return settings.temporal_address is not None or bool(_read_sdk_profile().address)


async def connect_to(
    server: TemporalServer, *, lazy: bool = True, runtime: Runtime | None = None
) -> Client:
    """Connect to Temporal: a lazy client at its first call, any other one now.

    Workers need a client that is not lazy. Raises RuntimeError for such a client while Temporal is
    unreachable. `runtime` exports the SDK's metrics.
    """
    return await Client.connect(
        server.address,
        namespace=server.namespace,
        tls=server.tls,
        api_key=server.api_key,
        rpc_metadata=server.rpc_metadata,
        keep_alive_config=KEEP_ALIVE,
        data_converter=server.data_converter,
        lazy=lazy,
        retry_config=LAZY_CLIENT_RETRIES if lazy else None,
        runtime=runtime,
    )


async def connect_service(server: TemporalServer) -> ServiceClient:
    """Return a client without workflows, which connects at its first call."""
    config = ConnectConfig(
        target_host=server.address,
        tls=server.tls,
        api_key=server.api_key,
        rpc_metadata=server.rpc_metadata,
        keep_alive_config=KEEP_ALIVE,
        retry_config=LAZY_CLIENT_RETRIES,
        lazy=True,
    )
    return await ServiceClient.connect(config)


def _read_sdk_profile() -> TemporalServer:
    try:
        given: Any = ClientConfigProfile.load().to_client_connect_config()
    except (RuntimeError, OSError) as fault:
        raise ValueError(f"the configuration of Temporal's SDK cannot be read: {fault}") from None
    return TemporalServer(
        address=given.get("target_host", ""),
        namespace=given.get("namespace", DEFAULT_NAMESPACE),
        tls=given.get("tls", False),
        api_key=given.get("api_key"),
        rpc_metadata=dict(given.get("rpc_metadata", {})),
    )


def _read_tls(settings: TemporalSettings, tls: bool | TLSConfig) -> bool | TLSConfig:  # noqa: FBT001 - as the SDK types it
    files = {
        "server_root_ca_cert": settings.temporal_tls_ca_file,
        "client_cert": settings.temporal_tls_cert_file,
        "client_private_key": settings.temporal_tls_key_file,
    }
    given: dict[str, Any] = {name: _read(file) for name, file in files.items() if file is not None}
    if ("client_cert" in given) != ("client_private_key" in given):
        raise ValueError("TEMPORAL_TLS_CERT_FILE and TEMPORAL_TLS_KEY_FILE are set together")
    if settings.temporal_tls_server_name is not None:
        given["domain"] = settings.temporal_tls_server_name
    if settings.temporal_tls is False:
        if given:
            raise ValueError("TEMPORAL_TLS is false, but another TEMPORAL_TLS_ setting is given")
        return False
    if given:
        return replace(tls if isinstance(tls, TLSConfig) else TLSConfig(), **given)
    return tls or bool(settings.temporal_tls)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise ValueError(f"{file} cannot be read: {fault.strerror}") from None


def _load_codec(path: str | None) -> PayloadCodec | None:
    """Load `package.module:name`, which takes no arguments and returns a PayloadCodec."""
    if path is None:
        return None
    module, _, name = path.partition(":")
    try:
        codec = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, TypeError) as fault:
        raise ValueError(f"TEMPORAL_PAYLOAD_CODEC {path!r} cannot be loaded: {fault}") from None
    if not isinstance(codec, PayloadCodec):
        raise ValueError(f"TEMPORAL_PAYLOAD_CODEC {path!r} does not return a PayloadCodec")  # noqa: TRY004 - of a setting
    return codec
