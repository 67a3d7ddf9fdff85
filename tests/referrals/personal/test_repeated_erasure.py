"""Erasures repeated after a restored backup, and after the replay that follows it."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from referrals.intake.facts import RecordOutcome
from referrals.personal.erasure import brought_back
from referrals.personal.erasure_log import append_erasure, read_erasures
from tests.referrals.personal.known_player import Known, content_of, erase_player, record
from tests.test_cli import referrals


async def test_players_whom_a_backup_brought_back_are_erased_again(
    known: Known, tmp_path: Path
) -> None:
    settings = {
        "REFERRALS_OWNER_DATABASE_URL": known.urls.owner,
        "REFERRALS_CHECKPOINT_DIRECTORY": str(tmp_path),
        "REFERRALS_CHECKPOINT_KEY": "a key for checkpoints",
    }
    append_erasure(tmp_path, known.player_id, at=datetime.now(UTC))
    async with known.owner.reading() as session:
        assert await brought_back(session, read_erasures(tmp_path)) == [known.player_id]

    ended = await referrals("erase", "--repeat", url=known.urls.application, settings=settings)

    assert (ended.returncode, ended.stdout) == (0, "erased: 1\n"), ended.stderr
    async with known.owner.reading() as session:
        assert await brought_back(session, read_erasures(tmp_path)) == []
        left = await session.execute(
            text("select 1 from subject_salts where subject = :player"), {"player": known.player_id}
        )
        assert left.first() is None


async def test_a_replay_after_a_restore_brings_values_back_until_the_erasure_is_repeated(
    known: Known, tmp_path: Path
) -> None:
    append_erasure(tmp_path, known.player_id, at=datetime.now(UTC))
    await erase_player(known)
    lost = known.deposit.model_copy(update={"event_id": "a-deposit-behind-the-backup"})
    newer = {"event_id": "a-later-deposit", "occurred_at": datetime.now(UTC)}
    async with known.application.transaction() as session:
        assert await record(session, known.deposit.model_copy(update=newer))
        assert await brought_back(session, read_erasures(tmp_path)) == []
        assert await record(session, lost) is RecordOutcome.ACCEPTED
        assert await brought_back(session, read_erasures(tmp_path)) == [known.player_id]

    await erase_player(known)

    assert known.hashes[0] not in await content_of(known.owner)
    async with known.application.reading() as session:
        assert await brought_back(session, read_erasures(tmp_path)) == []
