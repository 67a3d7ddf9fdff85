"""Bodies of /v1/rates."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from api.http.errors import invalid_field
from api.v1.schemas.fields import (
    Currency,
    EventTime,
    Reference,
    RequestBody,
    ResponseBody,
)
from domain.campaigns.exchange.rate_table import RATE_PATTERN
from referrals.campaigns.exchange.rates import NewRates

MAX_RATES: Final = 200
"""More than ISO 4217 has currencies."""


def _check_rate(text: str) -> str:
    if not RATE_PATTERN.fullmatch(text) or not text.strip("0."):
        raise ValueError('Must be a decimal text over 0, such as "0.92", without an exponent')
    return text


RateText = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(_check_rate),
    Field(examples=["0.92"]),
]


class RatesIn(RequestBody):
    """Exchange rates of one base currency: 1 unit of it is so much of each other currency."""

    as_of: EventTime = Field(description="The moment that the rates are of")
    source: Reference = Field(description="Who published them, such as `ECB`")
    base: Currency = Field(description="The currency of which one unit is so much of the others")
    rates: Annotated[dict[Currency, RateText], Field(min_length=1, max_length=MAX_RATES)] = Field(
        description="Decimal texts over 0 and below 10^9, with at most 12 places",
        examples=[{"EUR": "0.92", "JPY": "151.3"}],
    )

    def to_rates(self) -> NewRates:
        """Return the rates, or raise 422 where the base has one."""
        if self.base in self.rates:
            raise invalid_field(f"rates.{self.base}", "Must not be the base, whose rate is 1")
        return NewRates(as_of=self.as_of, source=self.source, base=self.base, rates=self.rates)


class RatesOut(ResponseBody):
    """A table of exchange rates, which never changes."""

    as_of: datetime = Field(
        description="The moment that they are of", examples=["2026-03-01T00:00:00Z"]
    )
    source: str = Field(description="Who published them", examples=["ECB"])
    base: str = Field(description="The base currency, ISO 4217", examples=["USD"])
    rates: dict[str, str] = Field(
        description="1 unit of the base is so much of each currency", examples=[{"EUR": "0.92"}]
    )
    written_by: str = Field(description="Owner of the key that recorded it")
    written_at: datetime
