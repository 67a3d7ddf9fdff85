"""Settings with which the outside fraud service is reached."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from runtime.setting_types import Token, UsableUrl


class FraudProviderSettings(BaseSettings):
    """The fraud service that is asked about each pair; without one, only our own rules judge."""

    fraud_provider_url: (
        Annotated[str, Field(pattern=r"^https?://[^/?#]+(/[^#]*)?$"), UsableUrl] | None
    ) = None
    """Address to which the question about a pair is posted."""
    fraud_provider_token: Token | None = None
    fraud_provider_name: str = Field(default="fraud-service", pattern=r"^[a-z][a-z0-9-]{0,39}$")
    """Name of the service in assessments, logs and reviews."""

    @model_validator(mode="after")
    def _validate_fraud_provider(self) -> Self:
        if (self.fraud_provider_url is None) != (self.fraud_provider_token is None):
            raise ValueError(
                "FRAUD_PROVIDER_URL and FRAUD_PROVIDER_TOKEN are set together, or neither"
            )
        return self
