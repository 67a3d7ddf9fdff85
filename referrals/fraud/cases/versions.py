"""Versions of cases and reviews: fingerprints of what a reviewer reads before deciding."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text

from db.engine import ReadSession
from db.tables import Review

LENGTH: Final = 32
"""Hexadecimal digits of a version: 128 bits, so that nobody finds two contents with one."""

# One line for each review, reward, note and player of a case. Leases, due times and first approvals
# are not content: they change without changing what is decided.
_VERSIONS: Final = text("""
    with papers as (
        select case_id, referral_id, review_id, reasons
        from case_referrals where case_id = any(:case_ids)
    ), lines as (
        select papers.case_id, jsonb_build_array(
            'referral', papers.referral_id, papers.reasons, reviews.id, reviews.status,
            reviews.attempt, reviews.score, reviews.reasons, reviews.amount_minor,
            reviews.currency, coalesce(reviews.assessment_id, referrals.assessment_id)) as line
        from papers join referrals on referrals.id = papers.referral_id
        left join reviews on reviews.id = papers.review_id
        union all
        select distinct papers.case_id, jsonb_build_array(
            'reward', rewards.id, rewards.player_id, rewards.status, rewards.amount_minor,
            rewards.due_minor, rewards.currency)
        from papers join rewards on rewards.referral_id = papers.referral_id
        union all
        select case_id, jsonb_build_array('note', id)
        from case_notes where case_id = any(:case_ids)
        union all
        select distinct papers.case_id, jsonb_build_array('player', member.player_id)
        from papers join referrals on referrals.id = papers.referral_id
        join player_clusters own on own.player_id in (referrals.referrer_id, referrals.referee_id)
        join player_clusters member on member.cluster_id = own.cluster_id
    )
    select case_id, encode(sha256(convert_to(
        string_agg(cast(line as text), chr(10) order by cast(line as text) collate "C"), 'UTF8'
    )), 'hex') as version
    from lines group by case_id
""")


async def versions_of(session: ReadSession, case_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """Return the version of each case as it is now."""
    rows = await session.execute(_VERSIONS, {"case_ids": list(case_ids)})
    return {row.case_id: row.version[:LENGTH] for row in rows}


def version_of_review(review: Review, assessment_id: UUID | None) -> str:
    """Return the version of a review whose evidence is an assessment."""
    read = [
        str(review.id),
        review.attempt,
        review.score,
        sorted(review.reasons),
        review.amount_minor,
        review.currency,
        str(assessment_id),
    ]
    return hashlib.sha256(json.dumps(read).encode()).hexdigest()[:LENGTH]
