"""Everything a deployment may choose, read once from REFERRALS_* variables by each main()."""

from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

# A complaint about one variable must not print the others: some are secret.
_FROM_ENVIRONMENT: Final = SettingsConfigDict(
    env_prefix="REFERRALS_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
)
_FINGERPRINT: Final = r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}"
_FINGERPRINTS: Final = rf"^{_FINGERPRINT}(?:, ?{_FINGERPRINT})*$"


class DatabaseSettings(BaseSettings):
    """All that an operator's acts on the database need: no secret of the doors, no Temporal."""

    model_config = _FROM_ENVIRONMENT

    database_url: str
    """postgresql+asyncpg:// of the application role."""
    log_level: str = "INFO"


class Settings(DatabaseSettings):
    """Addresses, keys and limits; a missing secret stops the process at its start."""

    owner_database_url: str | None = None
    """postgresql+asyncpg:// of the schema's owner; the serving processes need none."""

    temporal_address: str
    temporal_namespace: str = "default"
    task_queue: str = "referrals"

    hash_key: SecretStr = Field(min_length=16)
    """Keys the HMAC under which personal data is stored; changing it forgets every match."""
    token_key: SecretStr = Field(min_length=16)
    """Signs referral tokens."""

    public_url: str
    """Where players reach /r/{code}, without a trailing slash."""
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=1, le=65535)
    body_limit_bytes: int = Field(default=65536, ge=1024)

    ios_app_id: str | None = Field(default=None, pattern=r"^[A-Z0-9]{10}\.[A-Za-z0-9.-]+$")
    """Team and bundle of the app that opens /r/*; what is not set is not offered."""
    ios_app_store_url: str | None = Field(default=None, pattern=r"^https://")
    android_package: str | None = Field(default=None, pattern=r"^[A-Za-z]\w*(\.[A-Za-z]\w*)+$")
    android_cert_fingerprints: str | None = Field(default=None, pattern=_FINGERPRINTS)
    """SHA-256 of the certificates that sign the app, with commas between them."""
    jurisdiction_header: str | None = None
    """In which a trusted proxy tells the visitor's ISO 3166-2 jurisdiction."""

    invitations_per_second: float = Field(default=100, ge=1, le=10_000)
    """What one courier starts in Temporal; more wait in Postgres, where a signup finds them."""

    database_pool_size: int = Field(default=10, ge=1, le=200)
    worker_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    worker_metrics_host: str = "127.0.0.1"


class MigrationSettings(BaseSettings):
    """All that `referrals migrate` needs, so that no other process holds the owner's password."""

    model_config = _FROM_ENVIRONMENT

    owner_database_url: str
