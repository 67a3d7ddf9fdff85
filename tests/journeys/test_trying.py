"""Commands of docs/integration/trying.md, each of which binds a player by the method it names."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest

from sandbox.sportsbook.polling import wait_until
from stack import Connection
from tests import ROOT
from tests.docs.snippets import code_blocks

PAGE: Final = ROOT / "docs" / "integration" / "trying.md"
WON_BY: Final = {
    "web-1": "referral_token",
    "android-1": "install_referrer",
    "iphone-1": "clipboard",
    "opened-1": "universal_link",
    "typed-1": "typed_code",
    "late-1": "typed_code",
}


@pytest.mark.timeout(300)
async def test_each_method_can_be_tried_by_hand(
    stack: Connection, directory: Path, tmp_path: Path
) -> None:
    (tmp_path / ".stack").symlink_to(directory)
    *doing, asking_why = code_blocks(PAGE, "sh")
    typed = await asyncio.create_subprocess_exec("bash", "-euc", "\n".join(doing), cwd=tmp_path)
    assert await typed.wait() == 0

    assert all(player in asking_why for player in WON_BY)
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, trust_env=False) as http:
        for player, method in WON_BY.items():
            await wait_until(partial(won_by, http, player), partial(contains, method), what=player)


async def won_by(http: httpx.AsyncClient, player: str) -> set[str]:
    answer = await http.get("/v1/attributions", params={"player_id": player})
    return {
        candidate["method"]
        for attempt in answer.json()["items"]
        if attempt["outcome"] in {"bound", "known"}
        for candidate in attempt["candidates"]
        if candidate["outcome"] == "won"
    }


def contains(method: str, seen: set[str]) -> bool:
    return method in seen
