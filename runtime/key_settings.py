"""Settings of the commands that make API keys."""

from typing import Self

from pydantic import model_validator
from pydantic_settings import BaseSettings

from runtime.environment import FROM_ENVIRONMENT
from runtime.settings import DatabaseUrl


class KeySettings(BaseSettings):
    """Settings of those who make API keys, which the application's role does not."""

    model_config = FROM_ENVIRONMENT

    keys_database_url: DatabaseUrl | None = None
    """postgresql+asyncpg:// of the role referrals_keys."""
    owner_database_url: DatabaseUrl | None = None

    @model_validator(mode="after")
    def _validate_urls(self) -> Self:
        _ = self.url
        return self

    @property
    def url(self) -> str:
        """The URL of the role for keys, or of the schema's owner."""
        url = self.keys_database_url or self.owner_database_url
        if url is None:
            raise ValueError(
                "the application's role makes no keys: set REFERRALS_KEYS_DATABASE_URL (the role"
                " referrals_keys) or REFERRALS_OWNER_DATABASE_URL"
            )
        return url
