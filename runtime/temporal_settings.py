"""Settings with which Temporal is reached."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from runtime.environment import FROM_ENVIRONMENT
from runtime.setting_types import Token


class TemporalSettings(BaseSettings):
    """Settings of every process that talks to Temporal."""

    model_config = FROM_ENVIRONMENT

    temporal_address: str | None = None
    """host:port of Temporal; without it, the SDK's own configuration is read."""
    temporal_namespace: str | None = None
    temporal_tls: bool | None = None
    """Encrypts the connection; on by itself with a certificate's file or an API key."""
    temporal_tls_ca_file: Path | None = None
    temporal_tls_cert_file: Path | None = None
    """Certificate of this client, with its key in the next one."""
    temporal_tls_key_file: Path | None = None
    temporal_tls_server_name: str | None = None
    temporal_api_key: Token | None = None
    temporal_payload_codec: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$")
    """package.module:name of a PayloadCodec, the same in every process."""
    task_queue: str = "referrals"
