"""Invariants of cases: what waits for a person has come to one, and nobody forgets it.

Each waits for an hour of the real clock: couriers file and workflows escalate within seconds, and
what was late for shorter is shown by metrics.
"""

from typing import Final

from referrals.verification.invariant import Invariant

CASE_INVARIANTS: Final = (
    # Reviews without an assessment are of release 0.2, until a courier has met them.
    Invariant(
        "held_rewards_are_in_cases",
        "A review that waits for an hour is in a case.",
        """
        select v.id from reviews v
         where v.status = 'open' and v.case_id is null and v.assessment_id is not null
           and not exists (select from timeline l
                            where l.referral_id = v.referral_id
                              and l.recorded_at > clock_timestamp() - interval '1 hour')
        """,
    ),
    Invariant(
        "open_cases_are_attended",
        "No open case has been past its time for an hour without an escalation.",
        """
        select c.id from cases c
         where c.status = 'open' and c.due_at < :overdue_before
           and not exists (select from case_deliveries d
                            where d.case_id = c.id
                              and d.created_at > clock_timestamp() - interval '1 hour')
        """,
    ),
)
