"""The table of invariants that are queries, in the order in which they are reported."""

from typing import Final

from referrals.verification.audit_invariants import AUDIT_INVARIANTS
from referrals.verification.case_invariants import CASE_INVARIANTS
from referrals.verification.ledger_invariants import LEDGER_INVARIANTS
from referrals.verification.notification_invariants import NOTIFICATION_INVARIANTS
from referrals.verification.referral_invariants import (
    REFERRAL_INVARIANTS,
    RETENTION_INVARIANTS,
)
from referrals.verification.reward_invariants import REWARD_INVARIANTS
from referrals.verification.wallet_invariants import WALLET_INVARIANTS

INVARIANTS: Final = (
    *LEDGER_INVARIANTS,
    *REWARD_INVARIANTS,
    *WALLET_INVARIANTS,
    *REFERRAL_INVARIANTS,
    *AUDIT_INVARIANTS,
    *NOTIFICATION_INVARIANTS,
    *CASE_INVARIANTS,
    *RETENTION_INVARIANTS,
)
