"""Settings of the verifier process."""

from typing import Self

from pydantic import Field, model_validator

from runtime.settings import DatabaseSettings
from runtime.temporal_settings import TemporalSettings
from workflows.connection import TemporalServer, is_configured, read_server


class CareSettings(DatabaseSettings, TemporalSettings):
    """Settings of the verifier: without a Temporal it verifies, and schedules nothing."""

    retention_days: int = Field(default=400, ge=60)
    """Age in days beyond which clicks' hashes and ended sign-ins are let go of."""

    @model_validator(mode="after")
    def _validate_temporal(self) -> Self:
        _ = self.temporal
        return self

    @property
    def temporal(self) -> TemporalServer | None:
        return read_server(self) if is_configured(self) else None
