"""The command fraud-backtest: prints what would change, and keeps the report for publication."""

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from courier.commands import backtester
from db.engine import Database
from db.tables import BacktestRow
from domain.fraud.rule_set_drafts import Changes
from referrals.access.audit import Actor
from referrals.fraud import rule_sets
from referrals.fraud.rule_sets import NewRuleSet
from runtime.settings import DatabaseSettings
from tests.fixtures.databases import DatabaseUrls
from tests.referrals.fraud.assessed_referrals import DENIED, an_assessed_referral

ACTOR = Actor(name="ann", request_id=None, reason="a trial")
LENIENT = {"weights": {"denied": 0}, "sample_percent": 0}


async def run(
    urls: DatabaseUrls, candidate: str, *, until: str = "2026-03-02", json_file: Path | None = None
) -> int:
    settings = DatabaseSettings.model_validate({"database_url": urls.application})
    return await asyncio.to_thread(
        backtester.main,
        settings,
        candidate,
        since=None,
        until=until,
        json_file=json_file,
        actor=ACTOR,
    )


async def test_a_version_is_tested_and_its_report_is_stored(
    fresh_database: Database,
    fresh_urls: DatabaseUrls,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with fresh_database.transaction() as session:
        await an_assessed_referral(session, DENIED)
        asked = NewRuleSet(
            based_on=1, changes=Changes(weights={"denied": 0}), campaigns={}, sample_percent=0
        )
        assert await rule_sets.create(session, asked, ACTOR) == 2

    written = tmp_path / "report.json"
    assert await run(fresh_urls, "2", json_file=written) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "assessed 1, changed 1, unreadable 0" in lines
    assert "review to pass: 1" in lines
    assert "held: 10.00 USD before, nothing after" in lines
    assert "queue: 1 before, 0 after" in lines
    async with fresh_database.reading() as session:
        (stored,) = (await session.scalars(select(BacktestRow))).all()
    assert (stored.version, stored.baseline, stored.run_by) == (2, 1, "ann")
    assert stored.report == json.loads(written.read_text())


async def test_a_file_is_tested_and_nothing_is_stored(
    fresh_database: Database,
    fresh_urls: DatabaseUrls,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with fresh_database.transaction() as session:
        await an_assessed_referral(session, DENIED)
    candidate = tmp_path / "candidate.json"
    candidate.write_text(json.dumps(LENIENT))
    assert await run(fresh_urls, str(candidate)) == 0
    assert "review to pass: 1" in capsys.readouterr().out
    async with fresh_database.reading() as session:
        assert (await session.scalars(select(BacktestRow))).all() == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"weights": {"no_such_rule": 1}}', "no_such_rule is not a rule"),
        ('{"rules": {}}', "unknown fields: rules"),
        ("[", "Expecting value"),
        (None, "No such file"),
    ],
)
async def test_a_candidate_that_is_none_ends_the_command(
    fresh_urls: DatabaseUrls,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    reason: str,
) -> None:
    candidate = tmp_path / "candidate.json"
    if content is not None:
        candidate.write_text(content)
    assert await run(fresh_urls, str(candidate)) == 2
    assert reason in capsys.readouterr().err


async def test_an_unknown_version_or_a_wrong_time_ends_the_command(
    fresh_urls: DatabaseUrls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(fresh_urls, "99") == 2
    assert "there is no rule set 99" in capsys.readouterr().err
    assert await run(fresh_urls, "1", until="tomorrow") == 2
    assert "not a time of RFC 3339" in capsys.readouterr().err
