"""All tables as SQLAlchemy maps them; triggers, grants and partial indexes are in migrations/."""

from typing import Final

from db.tables.access import ApiKey, ApprovalRow, AuditRow, PersonRow, RateWindow
from db.tables.attribution import AttemptRow, Rebind, TouchRow
from db.tables.base import Table
from db.tables.campaigns import (
    Campaign,
    CampaignPublication,
    CampaignVersion,
    RateTableRow,
    ReferralCode,
    Share,
    SwitchRow,
)
from db.tables.cases import (
    CaseDelivery,
    CaseNote,
    CaseReferral,
    CaseRequest,
    CaseRow,
    Clawback,
)
from db.tables.chain import (
    ChainLink,
    Erasure,
    LetGoDeliveries,
    LetGoInvitation,
    LetGoRow,
    SubjectSalt,
    UnlinkedRow,
)
from db.tables.console import ConsoleLink, ConsoleSession
from db.tables.fraud import AssessmentRow, Review, SignupAssessment, SignupToAssess
from db.tables.intake import FactRow, InboxRow, Player, StakeTotal, StakingPlayer
from db.tables.ledger import CAMPAIGN_BUDGETS, AccountRow, BudgetShard, Entry, TransferRow
from db.tables.lifecycle import Delivery, ReferralRow, TimelineRow
from db.tables.links import ClusterMerge, IdentityLink, PlayerCluster
from db.tables.lists import ListEntryRow, ListHitRow, ListKeyRow
from db.tables.notifications import NotificationAttempt, NotificationRow, PlayerPreferences
from db.tables.outbox import OutboxCursorRow, OutboxReaderRow, OutboxRow
from db.tables.rewards import HoldRow, QualificationFact, QualificationRow, Reward, TaxYearRow
from db.tables.rule_sets import BacktestRow, RuleSetRow, RuleSetSwitch, ShadowAssessment
from db.tables.verification import CareRun, VerifyRun
from db.tables.wallet import PaymentOrderRow
from db.tables.webhooks import WebhookDelivery, WebhookRow, WebhookSecret

__all__ = [
    "CAMPAIGN_BUDGETS",
    "INSERT_ONLY",
    "AccountRow",
    "ApiKey",
    "ApprovalRow",
    "AssessmentRow",
    "AttemptRow",
    "AuditRow",
    "BacktestRow",
    "BudgetShard",
    "Campaign",
    "CampaignPublication",
    "CampaignVersion",
    "CareRun",
    "CaseDelivery",
    "CaseNote",
    "CaseReferral",
    "CaseRequest",
    "CaseRow",
    "ChainLink",
    "Clawback",
    "ClusterMerge",
    "ConsoleLink",
    "ConsoleSession",
    "Delivery",
    "Entry",
    "Erasure",
    "FactRow",
    "HoldRow",
    "IdentityLink",
    "InboxRow",
    "LetGoDeliveries",
    "LetGoInvitation",
    "LetGoRow",
    "ListEntryRow",
    "ListHitRow",
    "ListKeyRow",
    "NotificationAttempt",
    "NotificationRow",
    "OutboxCursorRow",
    "OutboxReaderRow",
    "OutboxRow",
    "PaymentOrderRow",
    "PersonRow",
    "Player",
    "PlayerCluster",
    "PlayerPreferences",
    "QualificationFact",
    "QualificationRow",
    "RateTableRow",
    "RateWindow",
    "Rebind",
    "ReferralCode",
    "ReferralRow",
    "Review",
    "Reward",
    "RuleSetRow",
    "RuleSetSwitch",
    "ShadowAssessment",
    "Share",
    "SignupAssessment",
    "SignupToAssess",
    "StakeTotal",
    "StakingPlayer",
    "SubjectSalt",
    "SwitchRow",
    "Table",
    "TaxYearRow",
    "TimelineRow",
    "TouchRow",
    "TransferRow",
    "UnlinkedRow",
    "VerifyRun",
    "WebhookDelivery",
    "WebhookRow",
    "WebhookSecret",
]

INSERT_ONLY: Final = (
    "facts",
    "timeline",
    "attributions",
    "touches",
    "campaign_versions",
    "campaign_publications",
    "transfers",
    "entries",
    "assessments",
    "qualifications",
    "qualification_facts",
    "audit",
    "outbox",
    "verify_runs",
    "care_runs",
    "notification_attempts",
    "approvals",
    "people",
    "case_referrals",
    "case_notes",
    "clawbacks",
    "list_keys",
    "rule_sets",
    "rule_set_switches",
    "shadow_assessments",
    "signup_assessments",
    "backtests",
    "list_hits",
    "chain_links",
    "erasures",
    "switches",
    "rate_tables",
    "let_go",
    "let_go_deliveries",
    "let_go_invitations",
)
"""Tables whose rows are never changed or deleted; triggers in the database refuse both."""
