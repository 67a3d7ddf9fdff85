"""The runbook's queries run, as the application's role, on the schema as it is."""

import re
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from db.engine import Database

RUNBOOK: Final = (Path(__file__).parents[2] / "docs/runbook.md").read_text()
QUERIES: Final = [
    query.strip()
    for block in re.findall(r"```sql\n(.*?)```", RUNBOOK, re.DOTALL)
    for query in block.split(";")
    if query.strip()
]


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_of_the_runbook_runs(database: Database, query: str) -> None:
    async with database.reading() as session:
        await session.execute(text(query))
