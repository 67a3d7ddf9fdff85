"""Every table, as SQLAlchemy sees it; triggers, grants and partial indexes are in migrations/."""

from typing import Final

from db.tables.attributions import AttemptRow, Rebind, TouchRow
from db.tables.base import Table
from db.tables.campaigns import Campaign, CampaignVersion, ReferralCode, Share
from db.tables.doubts import AssessmentRow, Review
from db.tables.facts import Delivery, FactRow, Inbox, Outbox
from db.tables.money import AccountRow, Entry, Reward, TransferRow
from db.tables.people import ApiKey, Audit, Player
from db.tables.referrals import ReferralRow, Timeline
from db.tables.windows import RateWindow

__all__ = [
    "INSERT_ONLY",
    "AccountRow",
    "ApiKey",
    "AssessmentRow",
    "AttemptRow",
    "Audit",
    "Campaign",
    "CampaignVersion",
    "Delivery",
    "Entry",
    "FactRow",
    "Inbox",
    "Outbox",
    "Player",
    "RateWindow",
    "Rebind",
    "ReferralCode",
    "ReferralRow",
    "Review",
    "Reward",
    "Share",
    "Table",
    "Timeline",
    "TouchRow",
    "TransferRow",
]

INSERT_ONLY: Final = (
    "facts",
    "timeline",
    "attributions",
    "touches",
    "campaign_versions",
    "transfers",
    "entries",
    "assessments",
    "audit",
    "outbox",
)
"""Tables whose rows nobody changes or removes; the database itself refuses it."""
