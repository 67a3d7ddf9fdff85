"""Nine attacks on the chain itself: each is seen, the last four by checkpoints alone."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from db.engine import Session
from referrals.chain.checking import ChainReport, check
from referrals.chain.checkpoints import (
    FILE_NAME,
    Checkpoint,
    CheckpointError,
    append_checkpoint,
    read_checkpoints,
)
from referrals.chain.linking import link_rows, newest_checkpoint
from tests.referrals.chain.conftest import ChainedDatabase
from tests.referrals.chain.test_edits import REPLICA

KEY: Final = b"a key that the owner does not have"
REWRITTEN: Final = (
    "CREATE TEMP TABLE before ON COMMIT DROP AS SELECT * FROM chain_links",
    "DELETE FROM chain_links",
    (
        "INSERT INTO unlinked_rows (relation, row_key)"
        " SELECT relation, row_key FROM before ORDER BY seq"
    ),
)
"""After which all rows are linked again, from the first."""


async def checkpoints_of(chained: ChainedDatabase) -> Sequence[Checkpoint]:
    async with chained.application.reading() as session:
        newest = await newest_checkpoint(session)
    assert newest is not None
    return [newest.signed(KEY)]


async def report_after(
    chained: ChainedDatabase, *statements: str, relinks: bool = False
) -> ChainReport:
    """Attack with every guard off, check against the checkpoint of before, and take it back."""
    checkpoints = await checkpoints_of(chained)
    async with Session(chained.superuser.engine) as session:
        await session.execute(REPLICA)
        for statement in statements:
            await session.execute(text(statement))
        while relinks and await link_rows(session, limit=10_000):
            pass
        report = await check(session, checkpoints)
        await session.rollback()
        return report


@pytest.mark.parametrize(
    ("attack", "statement", "sentence"),
    [
        (
            "a link's hash is edited",
            "UPDATE chain_links SET hash = sha256('x') WHERE seq = 7",
            "link 7: .* does not follow the link before it",
        ),
        (
            "a row and its leaf are edited",
            "UPDATE chain_links SET leaf = sha256('x') WHERE seq = 7",
            "link 7: .* does not follow the link before it",
        ),
        (
            "a link is deleted",
            "DELETE FROM chain_links WHERE seq = 7",
            "link 8: .* link 7 is missing",
        ),
        (
            "a link is inserted",
            (
                "INSERT INTO chain_links SELECT 1000000, relation, row_key || 'x', leaf, null,"
                " hash, linked_at FROM chain_links WHERE seq = 7"
            ),
            "link 1000000: .* follows a gap",
        ),
        (
            "two links are swapped",
            (
                "UPDATE chain_links SET seq = 15 - seq + 100000 WHERE seq IN (7, 8);"
                "UPDATE chain_links SET seq = seq - 100000 WHERE seq > 100000"
            ),
            "link 7: .* does not follow the link before it",
        ),
        (
            "a planted row has a link before the first",
            (
                "INSERT INTO audit (actor, action, subject, reason)"
                " VALUES ('mallory', 'key.create', 'key:x', 'a plant');"
                "INSERT INTO chain_links SELECT 0, 'audit',"
                " cast((SELECT max(id) FROM audit) AS text), leaf, null, sha256('x'), linked_at"
                " FROM chain_links WHERE seq = 7"
            ),
            "link 0: audit .* stands before the first link",
        ),
        (
            "the tail is cut off, rows and links",
            (
                "DELETE FROM outbox WHERE cast(id AS text) IN (SELECT row_key FROM chain_links"
                " WHERE relation = 'outbox');"
                "DELETE FROM chain_links WHERE seq >"
                " (SELECT min(seq) - 1 FROM chain_links WHERE relation = 'outbox')"
            ),
            "the chain was cut off behind the checkpoint",
        ),
    ],
)
async def test_an_attack_on_links_is_seen(
    chained: ChainedDatabase, attack: str, statement: str, sentence: str
) -> None:
    report = await report_after(chained, *statement.split(";"))

    assert not report.ok, attack
    assert re.search(sentence, str(report.faults[0])), report.faults


@pytest.mark.parametrize("relation", ["audit", "transfers", "facts"])
async def test_a_deleted_row_is_seen_although_its_link_was_renamed(
    chained: ChainedDatabase, relation: str
) -> None:
    first = f"SELECT min(seq) FROM chain_links WHERE relation = '{relation}'"  # noqa: S608
    key = "kind || '/' || event_id" if relation == "facts" else "cast(id as text)"
    deleted = (
        f"DELETE FROM {relation} WHERE {key} ="  # noqa: S608 - constants of this test
        f" (SELECT row_key FROM chain_links WHERE seq = ({first}))"
    )
    renamed = f"UPDATE chain_links SET relation = 'of_later' WHERE seq = ({first})"  # noqa: S608

    report = await report_after(chained, deleted, renamed)

    assert not report.ok
    assert report.faults[0].sentence == "is of a relation that this release does not know"


@pytest.mark.parametrize("key", ["99999999999999999999", "\u0661", "1_000"])
async def test_a_link_with_a_key_that_no_row_can_have_is_named(
    chained: ChainedDatabase, key: str
) -> None:
    forged = f"UPDATE chain_links SET relation = 'audit', row_key = '{key}' WHERE seq = 7"  # noqa: S608

    report = await report_after(chained, forged)

    assert str(report.faults[0]) == f"link 7: audit {key} was deleted"


async def test_the_whole_chain_rewritten_after_an_edit_is_seen(chained: ChainedDatabase) -> None:
    edit = "UPDATE transfers SET amount_minor = amount_minor * 2"

    report = await report_after(chained, edit, *REWRITTEN, relinks=True)

    assert not report.ok
    assert "the chain was rewritten" in report.faults[0].sentence


async def test_the_tail_rewritten_after_a_deletion_is_seen(chained: ChainedDatabase) -> None:
    deleted = "DELETE FROM audit WHERE action LIKE 'key.%'"

    report = await report_after(chained, deleted, *REWRITTEN, relinks=True)

    assert not report.ok
    assert report.faults[0].relation == "audit"


async def test_a_forged_checkpoint_is_seen(chained: ChainedDatabase, tmp_path: Path) -> None:
    (checkpoint,) = await checkpoints_of(chained)
    append_checkpoint(tmp_path, checkpoint, b"another key than that of the service")

    with pytest.raises(CheckpointError, match="checkpoint 1 is not signed with this key"):
        read_checkpoints(tmp_path, KEY)


@pytest.mark.parametrize("attack", ["edited", "left out", "broken"])
async def test_a_file_of_checkpoints_that_was_changed_is_seen(
    chained: ChainedDatabase, tmp_path: Path, attack: str
) -> None:
    (checkpoint,) = await checkpoints_of(chained)
    for seq in (1, 2, 3):
        append_checkpoint(tmp_path, replace(checkpoint, seq=seq), KEY)
    assert [read.seq for read in read_checkpoints(tmp_path, KEY)] == [1, 2, 3]

    path = tmp_path / FILE_NAME
    first, second, third = path.read_text().splitlines()
    changed = {
        "edited": [first, second.replace('"seq":2', '"seq":4'), third],
        "left out": [first, third],
        "broken": [first, "{}", third],
    }
    path.write_text("\n".join(changed[attack]) + "\n")

    with pytest.raises(CheckpointError, match="checkpoint 2"):
        read_checkpoints(tmp_path, KEY)
