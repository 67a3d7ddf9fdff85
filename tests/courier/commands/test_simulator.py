"""The command campaign-simulate: prints what a version would have paid, and writes nothing."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from courier.commands import simulator
from courier.commands.simulator import Asked
from db.engine import Database
from domain.campaigns.limits.reading import read_limits
from domain.campaigns.rules import Rules
from runtime.settings import DatabaseSettings
from tests.activities.referral_acts import sign_up
from tests.builders import TERMS, deposit
from tests.fixtures.databases import DatabaseUrls


async def run(urls: DatabaseUrls, slug: str, *, json_file: Path | None = None) -> int:
    settings = DatabaseSettings.model_validate({"database_url": urls.application})
    asked = Asked(
        slug=slug, since="2026-02-01", until="2026-04-01", version=None, tax_year_start="04-06"
    )
    return await asyncio.to_thread(simulator.main, settings, asked, json_file=json_file)


async def test_prints_and_writes_what_a_version_would_have_paid(
    database: Database,
    shared_urls: DatabaseUrls,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    limits = read_limits([{"of": "campaign", "per": "tax_year", "rewards": 5}], "", currency="USD")
    acts = await sign_up(database, terms=replace(TERMS, rules=Rules(limits=limits)))
    await acts.receives(deposit(acts.referee_id))

    written = tmp_path / "report.json"
    assert await run(shared_urls, acts.row.campaign_slug, json_file=written) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "referrals 1, qualified 1" in lines
    assert "after: 1 rewards, 10.00 USD" in lines
    assert f"{acts.row.id}: 0 rewards, nothing, then 1 rewards, 10.00 USD: qualifies" in lines
    assert json.loads(written.read_text())["after"]["rewards"] == 1


async def test_says_why_it_could_not_run(
    shared_urls: DatabaseUrls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(shared_urls, "no-such-campaign") == 2
    assert "there is no campaign no-such-campaign" in capsys.readouterr().err
