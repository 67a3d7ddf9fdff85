"""Everything a deployment may choose, read once from REFERRALS_* variables by each main()."""

from collections.abc import Mapping
from typing import Final

from limits import parse
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# A complaint about one variable must not print the others: some are secret.
_FROM_ENVIRONMENT: Final = SettingsConfigDict(
    env_prefix="REFERRALS_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
)
# A stadium, a campus or a carrier is one address, and a streamer's code has thousands of clicks a
# minute. What is tight is missing: nobody types sixty wrong codes a minute.
DEFAULT_RATE_LIMITS: Final[Mapping[str, str]] = {
    "link.address": "600/minute",
    "link.code": "60000/minute",
    "link.address.misses": "60/minute",
    "claim.player": "20/hour",
    "claim.player.misses": "10/hour",
    "resolve.device": "60/hour",
    "resolve.address": "300/minute",
}
"""Door, key, and for misses what led nowhere: at most so many in a window of so long."""
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

    rate_limits: str | None = None
    """Such as `link.address=300/minute, claim.player=5/hour`, in place of those of RATE_LIMITS."""
    invitations_per_second: float = Field(default=100, ge=1, le=10_000)
    """What one courier starts in Temporal; more wait in Postgres, where a signup finds them."""

    database_pool_size: int = Field(default=10, ge=1, le=200)
    worker_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    worker_metrics_host: str = "127.0.0.1"

    @field_validator("rate_limits")
    @classmethod
    def _validate_rate_limits(cls, given: str | None) -> str | None:
        for name, rule in parse_rate_limits(given).items():
            if name not in DEFAULT_RATE_LIMITS:
                raise ValueError(f"{name} is no limit; there are {', '.join(DEFAULT_RATE_LIMITS)}")
            parse(rule)
        return given

    @property
    def limits(self) -> dict[str, str]:
        """Each limit, as it was chosen or by default."""
        return {**DEFAULT_RATE_LIMITS, **parse_rate_limits(self.rate_limits)}


def parse_rate_limits(text: str | None) -> dict[str, str]:
    """Of `name=count/period`, with commas between."""
    pairs = [part.partition("=") for part in (text or "").split(",") if part.strip()]
    return {name.strip(): rule.strip() for name, _, rule in pairs}


class MigrationSettings(BaseSettings):
    """All that `referrals migrate` needs, so that no other process holds the owner's password."""

    model_config = _FROM_ENVIRONMENT

    owner_database_url: str
