"""Every table, as SQLAlchemy sees it; triggers, grants and partial indexes are in migrations/."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from domain.attribution import Method
from domain.campaign import CampaignStatus
from domain.facts import Choice, Kind
from domain.fraud import Verdict
from domain.ledger import Book, Movement
from domain.referral import Stage
from domain.reward import RewardStatus, RewardType

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


class Player(Table):
    """One row a player: the lock under which everything about that player is decided."""

    __tablename__ = "players"
    player_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    first_heard_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Campaign(Table):
    __tablename__ = "campaigns"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    status: Mapped[CampaignStatus]
    version: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class CampaignVersion(Table):
    """What a campaign said at one time; insert-only."""

    __tablename__ = "campaign_versions"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"))
    version: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]
    destination: Mapped[str]
    budget_minor: Mapped[int]
    terms: Mapped[dict[str, Any]]
    author: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (UniqueConstraint("campaign_id", "version"),)


class ReferralCode(Table):
    __tablename__ = "codes"
    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (UniqueConstraint("player_id", "campaign_id"),)


class Share(Table):
    __tablename__ = "shares"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(ForeignKey("codes.code"))
    channel: Mapped[str] = mapped_column(String(32))
    shared_at: Mapped[datetime]


class ReferralRow(Table):
    __tablename__ = "referrals"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"))
    campaign_slug: Mapped[str] = mapped_column(String(64))
    campaign_version_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_versions.id"))
    code: Mapped[str] = mapped_column(ForeignKey("codes.code"))
    referrer_id: Mapped[str] = mapped_column(String(64))
    referee_id: Mapped[str | None] = mapped_column(String(64))
    visitor: Mapped[str | None] = mapped_column(String(80))
    """Keyed hash of the visitor who followed the code."""
    terms: Mapped[dict[str, Any]]
    stage: Mapped[Stage]
    until: Mapped[datetime]
    steps: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """How many timeline rows it has."""
    awaits_funds: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """Whether a top-up of the budget, or a player who may be credited again, would let it go on."""
    invited_at: Mapped[datetime]
    signed_up_at: Mapped[datetime | None]
    signup_event_id: Mapped[str | None] = mapped_column(String(64))
    attribution_method: Mapped[Method | None]
    attribution_confidence: Mapped[float | None] = mapped_column(Float)
    qualified_by: Mapped[str | None] = mapped_column(String(64))
    """event_id of the deposit that earned the reward: frozen when it is credited."""
    assessment_id: Mapped[UUID | None]
    credited_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        Index(
            "uq_referrals_referee_once",
            "referee_id",
            unique=True,
            postgresql_where=text("referee_id is not null and stage <> 'LOST'"),
        ),
        Index(
            "uq_referrals_open_invitation",
            "visitor",
            "code",
            unique=True,
            postgresql_where=text("visitor is not null and stage = 'INVITED'"),
        ),
        Index("ix_referrals_referrer", "referrer_id", "invited_at"),
        Index("ix_referrals_stage", "stage", "until"),
        Index("ix_referrals_awaits_funds", "campaign_id", postgresql_where=text("awaits_funds")),
    )


class Click(Table):
    __tablename__ = "clicks"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(ForeignKey("codes.code"))
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referrals.id"))
    visitor: Mapped[str] = mapped_column(String(80))
    platform: Mapped[str] = mapped_column(String(16))
    ip: Mapped[str | None] = mapped_column(String(80))
    user_agent: Mapped[str | None] = mapped_column(String(80))
    device_id: Mapped[str | None] = mapped_column(String(80))
    clicked_at: Mapped[datetime]
    __table_args__ = (Index("ix_clicks_referral", "referral_id"),)


class Timeline(Table):
    """One row a stage change; its id is also that of the outbox event that tells of it."""

    __tablename__ = "timeline"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    step: Mapped[int] = mapped_column(Integer)
    stage: Mapped[Stage]
    at: Mapped[datetime]
    reason: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (UniqueConstraint("referral_id", "step"),)


class FactRow(Table):
    """What happened outside, once; insert-only."""

    __tablename__ = "facts"
    kind: Mapped[Kind] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    """Whose fact it is; of a decision, the referee of its referral."""
    occurred_at: Mapped[datetime]
    body: Mapped[dict[str, Any]]
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the normalised content: the same id with other content is refused."""
    door: Mapped[str] = mapped_column(String(16))
    heard_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_facts_player", "player_id", "kind"),)


class Inbox(Table):
    """Facts that the courier has not looked at yet; a row goes when its fact is routed."""

    __tablename__ = "inbox"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[Kind]
    event_id: Mapped[str] = mapped_column(String(80))
    heard_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_inbox_player", "player_id"),)


class Delivery(Table):
    """A fact of a bound player on its way to a referral's workflow.

    `kind` may also be 'invitation' (start it) or 'look' (something of ours changed). Without a
    `signal` it only starts the workflow; with `acknowledged_at` at birth nothing needs to hear it.
    """

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    kind: Mapped[str] = mapped_column(String(16))
    event_id: Mapped[str] = mapped_column(String(80))
    signal: Mapped[str | None] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=NOW)
    acknowledged_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        UniqueConstraint("referral_id", "kind", "event_id"),
        Index(
            "ix_deliveries_due",
            "next_attempt_at",
            "id",
            postgresql_where=text("acknowledged_at is null"),
        ),
    )


class AttributionLog(Table):
    """What was decided of each signup, and why; insert-only."""

    __tablename__ = "attributions"
    signup_event_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    player_id: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(32))
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referrals.id"))
    claims: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    decided_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Reward(Table):
    __tablename__ = "rewards"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    reward_type: Mapped[RewardType]
    player_id: Mapped[str] = mapped_column(String(64))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[RewardStatus]
    held_until: Mapped[datetime | None]
    """The end of the hold period; a review may hold it longer."""
    cycle: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """How often it was reversed."""
    deposit_event_id: Mapped[str] = mapped_column(String(64))
    campaign_version_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_versions.id"))
    assessment_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("referral_id", "reward_type"),
        CheckConstraint("amount_minor > 0", name="positive"),
        Index("ix_rewards_player", "player_id", "created_at"),
    )


class AccountRow(Table):
    __tablename__ = "accounts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    book: Mapped[Book]
    currency: Mapped[str] = mapped_column(String(3))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaigns.id"))
    player_id: Mapped[str | None] = mapped_column(String(64))
    balance_minor: Mapped[int] = mapped_column(server_default=text("0"))
    """Kept for every book but `funding` and `spent`, whose balance is the sum of their entries."""
    __table_args__ = (
        UniqueConstraint("id", "currency"),
        CheckConstraint("balance_minor >= 0 or book = 'owed'", name="not_negative"),
        CheckConstraint("balance_minor <= 0 or book <> 'owed'", name="owed_not_positive"),
        Index("ix_accounts_player", "player_id"),
    )


class TransferRow(Table):
    """An immutable movement of money; insert-only."""

    __tablename__ = "transfers"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    movement: Mapped[Movement]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaigns.id"))
    player_id: Mapped[str | None] = mapped_column(String(64))
    reward_id: Mapped[UUID | None] = mapped_column(ForeignKey("rewards.id"))
    """Of OWE, FORGIVE and RECOVER: the reward whose debt it is."""
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referrals.id"))
    """The referral whose act posted it."""
    resolves_hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("transfers.id"), unique=True)
    reference: Mapped[str | None]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint(
            "(movement in ('release', 'void')) = (resolves_hold_id is not null)",
            name="resolves_a_hold",
        ),
        Index("ix_transfers_reward", "reward_id"),
        Index("ix_transfers_player", "player_id", "recorded_at"),
    )


class Entry(Table):
    """One end of an arrow; insert-only. Negative leaves the account, positive arrives in it."""

    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfers.id"))
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    balance_after_minor: Mapped[int | None]
    """Empty for `funding` and `spent`."""
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "currency"], ["accounts.id", "accounts.currency"]),
        CheckConstraint("amount_minor <> 0", name="moves"),
        Index("ix_entries_account", "account_id", "id"),
        Index("ix_entries_transfer", "transfer_id"),
    )


class AssessmentRow(Table):
    """How suspicious a referral looked when it was scored, and on what evidence; insert-only."""

    __tablename__ = "assessments"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    deposit_event_id: Mapped[str] = mapped_column(String(64))
    score: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[Verdict]
    reasons: Mapped[list[str]]
    evidence: Mapped[dict[str, Any]]
    assessed_at: Mapped[datetime]
    __table_args__ = (Index("ix_assessments_referral", "referral_id"),)


class Review(Table):
    __tablename__ = "reviews"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), unique=True)
    status: Mapped[str] = mapped_column(String(16))
    """open; decided by a person; or closed, when events overtook it."""
    score: Mapped[int] = mapped_column(Integer)
    reasons: Mapped[list[str]]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    opened_at: Mapped[datetime]
    escalated_at: Mapped[datetime | None]
    decision: Mapped[Choice | None]
    reviewer: Mapped[str | None]
    reason: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("(status = 'decided') = (decision is not null)", name="decided"),
        Index("ix_reviews_status", "status", "opened_at"),
    )


class Audit(Table):
    """What a person or an operator did, and why; insert-only."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str]
    request_id: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_audit_subject", "subject"),)


class Outbox(Table):
    """Events for Kafka, in the columns that Debezium's EventRouter expects; insert-only.

    `xid` (xid8, the writing transaction) is added by the migration, for the relay's cursor.
    """

    __tablename__ = "outbox"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    aggregatetype: Mapped[str] = mapped_column(String(255))
    aggregateid: Mapped[str] = mapped_column(String(255))
    type: Mapped[str] = mapped_column(String(255))
    payload: Mapped[dict[str, Any]]
    headers: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    schema_version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    seq: Mapped[int] = mapped_column(Identity(always=True))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("ix_outbox_aggregate", "aggregateid"),)


class ApiKey(Table):
    __tablename__ = "api_keys"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str]
    scopes: Mapped[list[str]]
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    revoked_at: Mapped[datetime | None]


INSERT_ONLY: Final = (
    "facts",
    "timeline",
    "attributions",
    "campaign_versions",
    "transfers",
    "entries",
    "assessments",
    "audit",
    "outbox",
)
"""Tables whose rows nobody changes or removes; the database itself refuses it."""
