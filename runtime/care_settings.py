"""Settings of the verifier process, and of the command `retention`."""

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from pydantic import Field, field_validator, model_validator

from runtime.settings import DatabaseSettings
from runtime.temporal_settings import TemporalSettings

if TYPE_CHECKING:
    from workflows.connection import TemporalServer


class RetentionSettings(DatabaseSettings):
    """Ages at which rows that are only kept for a time are let go of."""

    retention_days: int = Field(default=400, ge=60, le=36_500)
    """Age in days beyond which rows are let go of, of each kind but hard links.

    Facts are one of them: they lose their personal values.
    """
    retention_days_by_kind: dict[str, int | None] = Field(default_factory=dict)
    """Ages in days of single kinds, in place of the general one; null keeps a kind."""

    @field_validator("retention_days_by_kind")
    @classmethod
    def _validate_kinds(cls, by_kind: dict[str, int | None]) -> dict[str, int | None]:
        from referrals.personal.retention import DEFAULT_DAYS, periods_of  # noqa: PLC0415 - late

        periods_of(DEFAULT_DAYS, by_kind)
        return by_kind

    @property
    def kept_for(self) -> dict[str, timedelta]:
        """Return the age at which each kind is let go of, without the kinds that are kept."""
        from referrals.personal.retention import periods_of  # noqa: PLC0415 - only who needs it

        return periods_of(self.retention_days, self.retention_days_by_kind)


class CareSettings(RetentionSettings, TemporalSettings):
    """Settings of the verifier: without a Temporal it verifies, and schedules nothing."""

    @model_validator(mode="after")
    def _validate_temporal(self) -> Self:
        _ = self.temporal
        return self

    @property
    def temporal(self) -> "TemporalServer | None":
        from workflows.connection import is_configured, read_server  # noqa: PLC0415 - late

        return read_server(self) if is_configured(self) else None
