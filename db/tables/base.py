"""What every table shares: names of constraints, and how Python types are stored."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Enum,
    MetaData,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase

from domain.attribution.policy import Method
from domain.campaigns.terms import CampaignStatus
from domain.fraud.rules import Verdict
from domain.intake.facts import Choice, Kind
from domain.ledger.movements import Book, Movement
from domain.lifecycle.referral import Stage
from domain.rewards.promises import RewardStatus, RewardType

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def _words(kind: type[StrEnum]) -> Enum:
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class Table(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way to be told
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
        str: Text,
        int: BigInteger,
        Stage: _words(Stage),
        Kind: _words(Kind),
        Method: _words(Method),
        CampaignStatus: _words(CampaignStatus),
        Choice: _words(Choice),
        Verdict: _words(Verdict),
        Book: _words(Book),
        Movement: _words(Movement),
        RewardStatus: _words(RewardStatus),
        RewardType: _words(RewardType),
    }


NOW: Final = func.now()
