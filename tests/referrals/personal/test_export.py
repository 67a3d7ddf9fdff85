"""Tables with a player's id: each is in the export, or named here with the reason why it is not."""

import re
from typing import Final

from sqlalchemy import text

from db.tables import Table
from referrals.personal.export import QUERIES, export
from tests.referrals.personal.known_player import Known

OF_A_PLAYER: Final = {"player_id", "bonus_player_id", "referrer_id", "referee_id", "referral_id"}
"""Columns that tell whose row it is; a referral is its referee's."""
LEFT_OUT: Final = {
    "inbox": "what waits to be routed is in facts",
    "cluster_merges": "names the other players of a cluster",
    "case_requests": "is in cases, once it is filed",
    "clawbacks": "is a case's decision",
    "signups_to_assess": "is in signup_assessments, once it is assessed",
    "list_hits": "belongs to entries of fraud lists, which are about values",
    "deliveries": "repeats facts, for the referral's workflow",
    "let_go_deliveries": "counts what was let go of",
    "let_go_invitations": "is of invitations that came to nothing, without a referee",
    "qualifications": "names the facts that rewards rest on, and is in their evidence",
}


def test_every_table_of_players_is_exported_or_named_with_a_reason() -> None:
    own = {
        table.name
        for table in Table.metadata.sorted_tables
        if OF_A_PLAYER & set(table.columns.keys())
    }
    read = {
        name for query in QUERIES.values() for name in re.findall(r"(?:from|join) (\w+)", query)
    }

    assert own - read == set(LEFT_OUT)


STORED: Final = """
    with stakes as (
        insert into stake_totals (player_id, currency, day, stakes, minor)
        values (:player, 'USD', '2026-03-01', 1, 700)
    ), cluster as (
        insert into player_clusters (player_id, cluster_id) values (:player, gen_random_uuid())
    ), stage as (
        insert into timeline (id, referral_id, step, stage, at)
        select gen_random_uuid(), id, 90, 'SETTLED', now() from referrals
         where referee_id = :player
    ), hold as (
        insert into holds (id, referral_id, attempt, reason, since)
        select gen_random_uuid(), id, 1, 'funds', now() from referrals where referee_id = :player
    )
    insert into player_preferences (player_id, locale) values (:player, 'fr')
"""


async def test_an_export_has_stakes_preferences_clusters_and_holds(known: Known) -> None:
    async with known.owner.transaction() as session:
        await session.execute(text(STORED), {"player": known.player_id})

    async with known.application.reading() as session:
        found = await export(session, known.player_id)

    assert [row["minor"] for row in found["stakes"]] == [700]
    assert [row["locale"] for row in found["preferences"]] == ["fr"]
    assert len(found["clusters"]) == 1
    assert "funds" in {row["reason"] for row in found["holds"]}
    assert "SETTLED" in {row["stage"] for row in found["timeline"]}
