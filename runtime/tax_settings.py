"""Settings of tax years, which the commands about players read, too."""

from pydantic import field_validator
from pydantic_settings import BaseSettings

from domain.campaigns.limits.periods import TaxYearStart
from domain.campaigns.limits.thresholds import Thresholds, parse_thresholds
from runtime.environment import FROM_ENVIRONMENT
from runtime.setting_types import check_currencies


class TaxSettings(BaseSettings):
    """Settings of tax years and of what may be paid within one."""

    model_config = FROM_ENVIRONMENT

    tax_year_start: str = "01-01"
    """Month and day on which the tax year of campaigns' limits begins, such as 04-06."""
    tax_thresholds: str | None = None
    """Amounts by currency, such as `600.00 USD, 500.00 EUR`, beyond which a player's rewards of a
    tax year wait until a person releases them; without them nothing waits."""

    @field_validator("tax_year_start")
    @classmethod
    def _validate_tax_year_start(cls, given: str) -> str:
        TaxYearStart.parse(given)
        return given

    @field_validator("tax_thresholds")
    @classmethod
    def _validate_tax_thresholds(cls, given: str | None) -> str | None:
        check_currencies(parse_thresholds(given).keys())
        return given

    @property
    def tax_year(self) -> TaxYearStart:
        return TaxYearStart.parse(self.tax_year_start)

    @property
    def yearly_thresholds(self) -> Thresholds:
        return parse_thresholds(self.tax_thresholds)
