"""The example of the client's README, against the real service."""

import asyncpg
import pytest

from tests import ROOT
from tests.client.processes import Api
from tests.docs.snippets import code_blocks, run_snippet


async def test_the_example_can_be_run_twice(
    real_service: Api, events_key: str, facts: asyncpg.Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = code_blocks(ROOT / "client" / "README.md", "python")
    main = run_snippet(example)["main"]
    for _ in range(2):
        await main(real_service.url, events_key)
    assert "refused" not in capsys.readouterr().out
    recorded = await facts.fetch("select event_id from facts order by event_id")
    assert [row["event_id"] for row in recorded] == ["deposit:d-99", "signup:player-7"]
