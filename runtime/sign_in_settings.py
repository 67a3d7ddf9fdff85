"""Settings of the sign-in to the console with an OpenID Connect provider."""

from ipaddress import ip_address
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from referrals.access.console.roles import Role


class OidcClient(NamedTuple):
    issuer: str
    client_id: str
    client_secret: str


class SignInSettings(BaseSettings):
    """The provider that vouches for people, and which of its claims are read."""

    oidc_issuer: str | None = Field(default=None, pattern=r"^https?://[^?#]+$")
    """Issuer whose people sign in to the console; links of `console-link` go on working."""
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_scopes: str = Field(default="openid email profile", pattern=r"^openid( [!-~]+)*$")
    """Scopes that are asked for, separated by blanks, `openid` first."""
    oidc_role_claim: str = Field(default="roles", min_length=1)
    """Claim that names the person's role or a list in which it is; dots lead into objects."""
    oidc_roles: dict[str, Role] = Field(default_factory=dict)
    """Roles by the provider's words, as JSON, where those are not the names of the roles."""
    oidc_name_claim: str = Field(default="email", min_length=1)
    """Claim by which people are told apart; the provider guarantees that it is theirs."""

    @field_validator("oidc_issuer")
    @classmethod
    def _validate_issuer(cls, given: str | None) -> str | None:
        if given is not None and not is_safe(given):
            raise ValueError("an issuer is reached by https, or by http on a loopback address")
        return given

    @model_validator(mode="after")
    def _validate_oidc(self) -> Self:
        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        if any(given) and not all(given):
            raise ValueError("OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET are set together")
        return self

    @property
    def oidc_client(self) -> OidcClient | None:
        """Return as whom the console talks to the provider; None without one."""
        if not (self.oidc_issuer and self.oidc_client_id and self.oidc_client_secret):
            return None
        secret = self.oidc_client_secret.get_secret_value()
        return OidcClient(self.oidc_issuer, self.oidc_client_id, secret)


def is_safe(url: str) -> bool:
    """Return whether nobody between can read what is sent: TLS, or this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    try:
        return parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
