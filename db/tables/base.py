"""The base class of all tables: constraint names, and the column type of each Python type."""

from datetime import datetime, time
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Enum, MetaData, Text, Time, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase

from domain.attribution.policy import Method
from domain.campaigns.rules import RewardType
from domain.campaigns.terms import CampaignStatus
from domain.fraud.cases import CaseKind, SubjectKind
from domain.fraud.lists import ListedKind, ListName
from domain.fraud.rules import Verdict
from domain.intake.facts import Choice, FactKind
from domain.ledger.movements import Book, Movement
from domain.lifecycle.referral import Stage
from domain.money import RewardKind
from domain.notifications.messages import Kind
from domain.notifications.sending import AttemptOutcome, NotificationStatus
from domain.rewards.holds import HoldReason
from domain.rewards.reward import RewardStatus
from domain.wallet.orders import OrderKind, OrderStatus

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
NOW: Final = func.now()


def _enum_type(kind: type[StrEnum]) -> Enum:
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class Table(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
        time: Time,
        bool: Boolean,
        str: Text,
        int: BigInteger,
        Stage: _enum_type(Stage),
        FactKind: _enum_type(FactKind),
        Method: _enum_type(Method),
        CampaignStatus: _enum_type(CampaignStatus),
        Choice: _enum_type(Choice),
        Verdict: _enum_type(Verdict),
        CaseKind: _enum_type(CaseKind),
        SubjectKind: _enum_type(SubjectKind),
        ListName: _enum_type(ListName),
        ListedKind: _enum_type(ListedKind),
        Book: _enum_type(Book),
        Movement: _enum_type(Movement),
        HoldReason: _enum_type(HoldReason),
        RewardStatus: _enum_type(RewardStatus),
        RewardKind: _enum_type(RewardKind),
        RewardType: _enum_type(RewardType),
        Kind: _enum_type(Kind),
        NotificationStatus: _enum_type(NotificationStatus),
        AttemptOutcome: _enum_type(AttemptOutcome),
        OrderKind: _enum_type(OrderKind),
        OrderStatus: _enum_type(OrderStatus),
    }
