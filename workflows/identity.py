"""Ids and names by which others find the workflows."""

from typing import Final
from uuid import UUID

TASK_QUEUE: Final = "referrals"


def workflow_id(referral_id: UUID) -> str:
    return f"referral:{referral_id}"
