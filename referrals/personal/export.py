"""Export of what is known about a player: every row that names the player, as JSON."""

from typing import Any, Final

from sqlalchemy import text

from db.engine import ReadSession

QUERIES: Final = {
    "player": "select * from players where player_id = :player",
    "facts": "select * from facts where player_id = :player order by occurred_at, event_id",
    "codes": "select * from codes where player_id = :player order by created_at",
    "shares": (
        "select s.* from shares s join codes c on c.code = s.code"
        " where c.player_id = :player order by s.shared_at, s.id"
    ),
    "touches": "select * from touches where player_id = :player order by at, id",
    "clicks": (
        "select t.* from touches t join referrals r on r.id = t.referral_id"
        " where r.referee_id = :player and t.player_id is null order by t.at, t.id"
    ),
    "attributions": "select * from attributions where player_id = :player order by decided_at",
    "rebinds": "select * from rebinds where player_id = :player order by proposed_at",
    "referrals_as_referee": (
        "select * from referrals where referee_id = :player order by created_at"
    ),
    "referrals_as_referrer": (
        "select id, campaign_slug, code, stage, until, invited_at, credited_at"
        " from referrals where referrer_id = :player order by created_at"
    ),
    "signup_assessments": (
        "select s.* from signup_assessments s join referrals r on r.id = s.referral_id"
        " where r.referee_id = :player"
    ),
    "assessments": (
        "select a.* from assessments a join referrals r on r.id = a.referral_id"
        " where r.referee_id = :player order by a.assessed_at"
    ),
    "timeline": (
        "select t.* from timeline t join referrals r on r.id = t.referral_id"
        " where r.referee_id = :player order by t.referral_id, t.step"
    ),
    "holds": (
        "select h.* from holds h join referrals r on r.id = h.referral_id"
        " where r.referee_id = :player order by h.since, h.id"
    ),
    "reviews": (
        "select v.id, v.referral_id, v.case_id, v.status, v.score, v.reasons, v.amount_minor,"
        " v.currency, v.opened_at, v.escalated_at, v.decision, v.decided_at"
        " from reviews v join referrals r on r.id = v.referral_id"
        " where r.referee_id = :player order by v.opened_at, v.id"
    ),
    "cases": (
        "select c.id, c.kind, c.status, f.referral_id, f.reasons, f.added_at, c.opened_at,"
        " c.decision, c.decided_at"
        " from cases c join case_referrals f on f.case_id = c.id"
        " join referrals r on r.id = f.referral_id"
        " where r.referee_id = :player order by c.opened_at, c.id"
    ),
    "rewards": "select * from rewards where player_id = :player order by created_at",
    "tax_years": "select * from tax_years where player_id = :player order by begins_on",
    "accounts": (
        "select * from accounts where player_id = :player or bonus_player_id = :player order by id"
    ),
    "payment_orders": "select * from payment_orders where player_id = :player order by seq",
    "transfers": "select * from transfers where player_id = :player order by recorded_at",
    "identity_links": "select * from identity_links where player_id = :player order by kind, value",
    "clusters": "select * from player_clusters where player_id = :player",
    "stakes": "select * from stake_totals where player_id = :player order by day, currency",
    "staking": "select * from staking_players where player_id = :player",
    "notifications": "select * from notifications where player_id = :player order by created_at",
    "preferences": "select * from player_preferences where player_id = :player",
    "erasures": "select * from erasures where player_id = :player",
}
"""Rows about the player alone: nothing in them has another one's traits or a reviewer's words."""


async def export(session: ReadSession, player_id: str) -> dict[str, list[Any]]:
    """Return the rows about a player, by what they are; empty lists where nothing is known."""
    found = {}
    for name, query in QUERIES.items():
        rows = text(f"select to_jsonb(found) from ({query}) found")  # noqa: S608 - ours alone
        found[name] = list(await session.scalars(rows, {"player": player_id}))
    return found
