"""Campaigns from a file: planned, written as drafts and proposals, published by another person."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from api.v1.campaigns import files as campaign_files
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.requests import unique_id, usd
from stack import Connection
from tests import ROOT

URL = "/v1/campaigns"


async def test_a_file_is_planned_then_applied_and_changes_nothing_when_applied_again(
    stack: Connection,
    sportsbook: SportsbookClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    slug, file = unique_id("file"), tmp_path / "offers.yaml"
    write(file, slug, reward_minor=1000)
    assert await apply(stack, file, is_plan=True) == 0
    assert f"{slug}: a new draft" in capsys.readouterr().out
    assert (await sportsbook.call("GET", f"{URL}/{slug}")).status_code == 404

    assert await apply(stack, file) == 0
    written = capsys.readouterr().out
    assert f"{slug}: version 1 is written; another person publishes" in written
    await publish(stack, sportsbook, slug, json.loads(written.split("/publish ")[1]))
    assert await apply(stack, file) == 0
    assert capsys.readouterr().out == f"{slug}: unchanged\n"

    write(file, slug, reward_minor=1500)
    assert await apply(stack, file) == 0
    told = capsys.readouterr().out
    assert f"{slug}: a proposal" in told
    assert "  terms.referrer_reward.minor: 1000 -> 1500" in told
    assert await apply(stack, file) == 0
    assert '/publish {"version": 2}' in told
    again = capsys.readouterr().out
    assert f"{slug}: proposed already as version 2" in again
    assert '/publish {"version": 2}' in again
    live = (await sportsbook.call("GET", f"{URL}/{slug}")).json()
    assert (live["version"], live["proposal"]) == (1, {"version": 2})
    await publish(stack, sportsbook, slug)
    live = (await sportsbook.call("GET", f"{URL}/{slug}")).json()
    assert live["terms"]["referrer_reward"] == usd(1500)


@pytest.mark.parametrize("example", sorted((ROOT / "docs/offers").iterdir()), ids=lambda p: p.stem)
async def test_an_example_is_planned_applied_and_published(
    stack: Connection,
    sportsbook: SportsbookClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    example: Path,
) -> None:
    slug, file = unique_id("example"), tmp_path / example.name
    file.write_text(example.read_text().replace(f"slug: {example.stem}", f"slug: {slug}"))
    assert await apply(stack, file, is_plan=True) == 0
    assert f"{slug}: a new draft" in capsys.readouterr().out
    assert await apply(stack, file) == 0
    await publish(stack, sportsbook, slug)

    capsys.readouterr()
    assert await apply(stack, file) == 0
    assert capsys.readouterr().out == f"{slug}: unchanged\n"
    live = (await sportsbook.call("GET", f"{URL}/{slug}")).json()
    assert (live["status"], live["available_budget"]) == ("published", live["budget"])


async def test_a_plan_warns_of_an_offer_without_a_minimum_deposit(
    stack: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slug, file = unique_id("euro"), tmp_path / "offers.yaml"
    euro = {"minor": 1000, "currency": "EUR"}
    terms: dict[str, object] = {"referrer_reward": euro}
    in_euro = {"slug": slug, "name": "Euro", "budget": euro | {"minor": 500_000}, "terms": terms}
    file.write_text(yaml.safe_dump(in_euro))
    assert await apply(stack, file, is_plan=True) == 0
    assert "  warning: terms.minimum_deposit: there is none" in capsys.readouterr().out

    terms["minimum_deposit"] = euro
    file.write_text(yaml.safe_dump(in_euro))
    assert await apply(stack, file, is_plan=True) == 0
    assert "warning" not in capsys.readouterr().out


async def test_a_wrong_campaign_of_a_file_is_named_and_nothing_is_written(
    stack: Connection,
    sportsbook: SportsbookClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good, bad, file = unique_id("good"), unique_id("bad"), tmp_path / "offers.yaml"
    campaigns = [offer(good), offer(bad) | {"priority": "high"}]
    file.write_text(yaml.safe_dump({"campaigns": campaigns}))
    assert await apply(stack, file) == 1
    assert f"{bad}: priority:" in capsys.readouterr().err
    assert (await sportsbook.call("GET", f"{URL}/{good}")).status_code == 404

    for text in ("", "- 1", "name: nobody", yaml.safe_dump([offer(good)] * 2)):
        file.write_text(text)
        assert await apply(stack, file) == 1
    file.write_text("{")
    assert await apply(stack, file) == 2
    assert await apply(stack, tmp_path / "missing.yaml") == 2


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"budget": usd(200_000)}, "budget.minor"),
        ({"budget": {"minor": 100_000, "currency": "EUR"}}, "budget.currency"),
        ({"currencies": []}, "currencies"),
        ({"currencies": [{"minor": 1, "currency": "EUR"}]}, "currencies"),
    ],
)
async def test_another_budget_of_a_published_campaign_is_refused_before_anything_is_written(
    stack: Connection,
    sportsbook: SportsbookClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    changed: Mapping[str, Any],
    field: str,
) -> None:
    new, funded, file = unique_id("new"), unique_id("funded"), tmp_path / "offers.yaml"
    published = offer(funded) | {"currencies": [{"minor": 50_000, "currency": "EUR"}]}
    file.write_text(yaml.safe_dump(published))
    assert await apply(stack, file) == 0
    await publish(stack, sportsbook, funded)
    wanted = {**published, **changed}
    if wanted["budget"]["currency"] == "EUR":
        euros = {"minor": 1000, "currency": "EUR"}
        wanted |= {"currencies": [usd(100_000)], "terms": {"referrer_reward": euros}}
    file.write_text(yaml.safe_dump([offer(new), wanted]))

    for is_plan in (True, False):
        assert await apply(stack, file, is_plan=is_plan) == 1
        assert f"{funded}: {field}: Must" in capsys.readouterr().err
    assert (await sportsbook.call("GET", f"{URL}/{new}")).status_code == 404


async def test_a_campaign_that_is_refused_after_the_plan_is_told_with_what_was_written(
    stack: Connection, sportsbook: SportsbookClient, tmp_path: Path
) -> None:
    first, second, file = unique_id("first"), unique_id("second"), tmp_path / "offers.yaml"
    write(file, second, reward_minor=1000)
    assert await apply(stack, file) == 0
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=stack.api_url, headers=headers, timeout=30) as client:
        steps = await asyncio.to_thread(campaign_files.plan, client, [offer(first), offer(second)])
        assert (await sportsbook.call("POST", f"{URL}/{second}/end")).status_code == 200
        with pytest.raises(campaign_files.RefusedError, match=second) as refused:
            await asyncio.to_thread(campaign_files.carry_out, client, steps)

    assert refused.value.__notes__ == [f"written before that: {first}"]
    assert (await sportsbook.call("GET", f"{URL}/{first}")).status_code == 200


async def test_another_service_or_a_wrong_key_is_no_new_draft(
    stack: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "offers.yaml"
    write(file, unique_id("file"), reward_minor=1000)
    for url, key in (
        (f"{stack.api_url}/nowhere", stack.api_key),
        (stack.temporal_ui_url, stack.api_key),
        (stack.api_url, "a wrong key"),
        ("http://[nowhere", "a key"),
    ):
        assert await asyncio.to_thread(campaign_files.main, file, (url, key), is_plan=True) == 2
        told = capsys.readouterr()
        assert not told.out
        assert told.err.startswith("could not run: ")


async def apply(stack: Connection, file: Path, *, is_plan: bool = False) -> int:
    service = (stack.api_url, stack.api_key)
    return await asyncio.to_thread(campaign_files.main, file, service, is_plan=is_plan)


async def publish(
    stack: Connection,
    sportsbook: SportsbookClient,
    slug: str,
    body: Mapping[str, int] | None = None,
) -> None:
    headers = {"Authorization": f"Bearer {stack.approver_api_key}"}
    answer = await sportsbook.call("POST", f"{URL}/{slug}/publish", body, headers=headers)
    assert answer.status_code == 200, answer.text


def write(file: Path, slug: str, *, reward_minor: int) -> None:
    file.write_text(
        yaml.safe_dump(offer(slug) | {"terms": {"referrer_reward": usd(reward_minor)}})
        + "ends_at: 2090-01-01T00:00:00Z\n"
    )


def offer(slug: str) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": "An offer of a repository",
        "budget": usd(100_000),
        "terms": {"referrer_reward": usd(1000), "hold_period": "P1W"},
    }
