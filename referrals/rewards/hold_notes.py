"""Notes for the Temporal UI about a referral that waits: its holds, score and amount."""

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import AssessmentRow, HoldRow, ReferralRow
from domain.money import Money
from referrals.rewards import holds
from referrals.rewards.transfers import rewards_of_referral, total_of


async def note_of(session: ReadSession, row: ReferralRow) -> str:
    """Return lines of Markdown about why a locked referral is not credited yet.

    They name reason codes, times, the score of the assessment and the amount; no person, and no
    text of a reviewer.
    """
    lines = [_line(hold) for hold in await holds.open_holds(session, row.id)]
    score = await session.scalar(
        select(AssessmentRow.score).where(AssessmentRow.id == row.assessment_id)
    )
    if score is not None:
        lines.append(f"- fraud score: {score}")
    if written := await rewards_of_referral(session, row.id):
        lines.append(f"- amount: {_shown(total_of(written))}")
    return "\n".join(lines)


def _line(hold: HoldRow) -> str:
    detail = f" ({', '.join(hold.detail)})" if hold.detail else ""
    end = f", until {hold.until:%Y-%m-%d %H:%M:%S %Z}" if hold.until else ""
    return f"- held for: {hold.reason}{detail}, since {hold.since:%Y-%m-%d %H:%M:%S %Z}{end}"


def _shown(amount: Money) -> str:
    return f"{amount.minor} minor units of {amount.currency}"
