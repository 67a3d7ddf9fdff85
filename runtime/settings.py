"""Settings of a deployment, read once from REFERRALS_* variables by each main()."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Self

from limits import parse
from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from db.address import check_database_url
from domain.campaigns.publishing import Ceilings
from domain.fraud.cases import DEFAULT_SECOND_PERSON_ABOVE, SecondPersonLimits
from domain.intake.direct_signals import DirectSignals
from domain.privacy import Hasher
from domain.webhooks.addresses import Addresses
from runtime.environment import FROM_ENVIRONMENT
from runtime.fraud_provider_settings import FraudProviderSettings
from runtime.hash_keys import HashKeySettings
from runtime.kafka_settings import KafkaSettings
from runtime.link_settings import LinkSettings
from runtime.setting_types import (
    HttpUrl,
    LogLevel,
    NetworkFile,
    PublicUrl,
    Token,
    UsableUrl,
    check_currencies,
)
from runtime.sign_in_settings import SignInSettings
from runtime.tax_settings import TaxSettings
from runtime.temporal_settings import TemporalSettings
from runtime.traces.tracing import TraceSettings

if TYPE_CHECKING:
    from workflows.connection import TemporalServer

# A stadium, a campus or a carrier shares one address, and a streamer's code gets thousands of
# clicks a minute. Misses have tight limits: no person types sixty wrong codes a minute. A site is a
# /48 of IPv6, of which one client may use every /64.
DEFAULT_RATE_LIMITS: Final[Mapping[str, str]] = {
    "link.address": "600/minute",
    "link.code": "60000/minute",
    "link.address.misses": "60/minute",
    "link.site": "6000/minute",
    "link.site.misses": "600/minute",
    "claim.player": "20/hour",
    "claim.player.misses": "10/hour",
    "resolve.device": "60/hour",
    "resolve.address": "300/minute",
    "resolve.site": "3000/minute",
}
"""Requests per window, by endpoint and key; those named `misses` count only failed requests,
and `link.code` counts invitations."""
_JURISDICTION: Final = r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?"
_JURISDICTIONS: Final = rf"^{_JURISDICTION}(?:, ?{_JURISDICTION})*$"


DatabaseUrl = Annotated[str, AfterValidator(check_database_url)]
SignalKey = Annotated[SecretStr, Field(min_length=16)]


class DatabaseSettings(BaseSettings):
    """Settings of an operator's commands on the database: no secrets of the API, no Temporal."""

    model_config = FROM_ENVIRONMENT

    database_url: DatabaseUrl
    """postgresql+asyncpg:// of the application role."""
    log_level: LogLevel = "INFO"

    checkpoint_directory: Path | None = None
    """Directory of the hash chain's signed checkpoints, out of reach of the database's owner."""
    checkpoint_key: SecretStr | None = Field(default=None, min_length=16)
    """Key that signs checkpoints; set together with their directory."""

    @model_validator(mode="after")
    def _validate_checkpoints(self) -> Self:
        if (self.checkpoint_directory is None) != (self.checkpoint_key is None):
            raise ValueError("CHECKPOINT_DIRECTORY and CHECKPOINT_KEY are set together, or neither")
        return self


class ErasureSettings(DatabaseSettings):
    """Settings of erasures, which only the owner of the schema can make."""

    owner_database_url: DatabaseUrl


class ClientSettings(BaseSettings):
    """Settings of the commands that call the API like any other service."""

    model_config = FROM_ENVIRONMENT

    api_url: HttpUrl | None = None
    api_key: Token | None = None
    """Key of the person who runs the command."""


class WalletSettings(DatabaseSettings):
    """Settings with which the wallet is reached, for its reconciliation too."""

    wallet_url: Annotated[str, Field(pattern=r"^https?://[^/?#]+(/[^?#]*)?$"), UsableUrl] | None = (
        None
    )
    """Address of the sportsbook's wallet; without it the ledger's `available` is the balance."""
    wallet_token: Token | None = None

    @model_validator(mode="after")
    def _validate_wallet(self) -> Self:
        if (self.wallet_url is None) != (self.wallet_token is None):
            raise ValueError("WALLET_URL and WALLET_TOKEN are set together, or neither")
        return self

    @property
    def has_wallet(self) -> bool:
        return self.wallet_url is not None


class ConsoleLinkSettings(DatabaseSettings):
    """Settings of `referrals console-link`."""

    public_url: PublicUrl


class Settings(
    SignInSettings,
    WalletSettings,
    FraudProviderSettings,
    LinkSettings,
    HashKeySettings,
    KafkaSettings,
    TaxSettings,
    TemporalSettings,
    TraceSettings,
):
    """Settings of the serving processes; a missing secret stops them at their start."""

    owner_database_url: DatabaseUrl | None = None
    """postgresql+asyncpg:// of the schema's owner; the serving processes do not need it."""

    token_key: SecretStr = Field(min_length=16)
    """Key that signs referral tokens."""
    earlier_token_keys: list[SignalKey] = Field(default_factory=list)
    """Keys that are still read with, as JSON: ["…"]; before a rotation, also the next one."""

    direct_signals: DirectSignals = DirectSignals.SIGNED
    """Signals, of those that services send to workflows themselves, whose facts count."""
    signal_keys: dict[str, SignalKey] = Field(default_factory=dict)
    """Keys with which services sign their signals, as JSON: {"payments": "…"}."""

    public_url: PublicUrl
    """Origin at which players reach /r/{code}; a slash at its end makes no difference."""
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=1, le=65535)
    body_limit_bytes: int = Field(default=65536, ge=1024)

    temporal_ui_url: Annotated[str, Field(pattern=r"^https?://[^?#]+$"), UsableUrl] | None = None
    """Address of Temporal's web UI, to which the console links."""

    rate_limits: str | None = None
    """Overrides of DEFAULT_RATE_LIMITS, such as `link.address=300/minute, claim.player=5/hour`."""
    invitations_per_second: float = Field(default=100, ge=1, le=10_000)
    """Workflows of invitations that one courier starts per second; the rest waits in Postgres."""

    no_reminders_in: str | None = Field(default=None, pattern=_JURISDICTIONS)
    """ISO 3166 codes, separated by commas, where nobody is reminded; a country is all of it."""
    network_database: NetworkFile | None = None
    """File in MaxMind's format that knows hosting networks and the countries of addresses."""
    webhook_addresses: Addresses = Addresses.PUBLIC
    """Addresses that webhooks may lead to: `public`, over https alone, or `any`."""

    second_person_above: str = DEFAULT_SECOND_PERSON_ABOVE
    """Amounts above which an approval needs a second person, such as `500.00 USD, 450.00 EUR`; the
    first one counts for every other currency, too."""

    embed_origins: str | None = Field(
        default=None, pattern=r"^https?://[a-z0-9.:-]+(?:, ?https?://[a-z0-9.:-]+)*$"
    )
    """Origins, separated by commas, whose pages may frame the player's own page."""

    destination_hosts: str | None = Field(default=None, pattern=r"^[a-z0-9.-]+(?:, ?[a-z0-9.-]+)*$")
    """Hosts, separated by commas, that a campaign's destination may have, their subdomains
    included; without it any host may be published."""
    largest_reward_minor: int | None = Field(default=None, ge=1)
    """Ceiling of one reward, in minor units, above which a campaign is not published."""
    largest_budget_minor: int | None = Field(default=None, ge=1)
    """Ceiling of a planned budget, in minor units."""

    database_pool_size: int = Field(default=10, ge=1, le=200)
    worker_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    worker_metrics_host: str = "127.0.0.1"
    courier_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    courier_metrics_host: str = "127.0.0.1"

    @field_validator("rate_limits")
    @classmethod
    def _validate_rate_limits(cls, given: str | None) -> str | None:
        for name, rule in parse_rate_limits(given).items():
            if name not in DEFAULT_RATE_LIMITS:
                raise ValueError(
                    f"{name} is not a limit; the limits are {', '.join(DEFAULT_RATE_LIMITS)}"
                )
            parse(rule)
        return given

    @field_validator("second_person_above")
    @classmethod
    def _validate_second_person_above(cls, given: str) -> str:
        check_currencies(SecondPersonLimits.parse(given).currencies)
        return given

    @property
    def hasher(self) -> Hasher:
        """The hasher of personal data, which knows the links of this deployment."""
        return self.hasher_of(public_url=self.public_url)

    @property
    def second_person_limits(self) -> SecondPersonLimits:
        return SecondPersonLimits.parse(self.second_person_above)

    @model_validator(mode="after")
    def _validate_temporal(self) -> Self:
        _ = self.temporal
        return self

    @property
    def temporal(self) -> "TemporalServer":
        """The server that these settings, or the SDK's configuration, lead to."""
        # Late: commands that need no Temporal start without its SDK.
        from workflows.connection import read_server  # noqa: PLC0415

        return read_server(self)

    @property
    def jurisdictions_without_reminders(self) -> tuple[str, ...]:
        return tuple(code.strip() for code in (self.no_reminders_in or "").split(",") if code)

    @property
    def embedding_origins(self) -> tuple[str, ...]:
        return tuple(origin.strip() for origin in (self.embed_origins or "").split(",") if origin)

    @property
    def ceilings(self) -> Ceilings:
        """Limits of what may be published."""
        hosts = (host.strip() for host in (self.destination_hosts or "").split(","))
        return Ceilings(
            destination_hosts=frozenset(filter(None, hosts)),
            reward_minor=self.largest_reward_minor,
            budget_minor=self.largest_budget_minor,
        )

    @property
    def token_keys(self) -> tuple[str, ...]:
        """Return the key that signs, and those that are read with."""
        return tuple(key.get_secret_value() for key in (self.token_key, *self.earlier_token_keys))

    @property
    def effective_rate_limits(self) -> dict[str, str]:
        """Every limit, as set or by default."""
        return {**DEFAULT_RATE_LIMITS, **parse_rate_limits(self.rate_limits)}


def parse_rate_limits(text: str | None) -> dict[str, str]:
    """Parse `name=count/period` pairs separated by commas."""
    pairs = [part.partition("=") for part in (text or "").split(",") if part.strip()]
    return {name.strip(): rule.strip() for name, _, rule in pairs}


class MigrationSettings(BaseSettings):
    """Settings of `referrals migrate`: no other process needs the owner's password."""

    model_config = FROM_ENVIRONMENT

    owner_database_url: DatabaseUrl
