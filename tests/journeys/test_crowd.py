"""Many at once: every event comes fifty times, and every reward once."""

import asyncio
from typing import Final

import pytest

from sandbox.sportsbook.book import Book
from sandbox.sportsbook.events import deposit
from sandbox.sportsbook.pairs import Pair, invited

REFERRALS: Final = 200
COPIES: Final = 50
AT_ONCE: Final = 8


@pytest.mark.timeout(240)
async def test_fifty_copies_of_200_deposits_give_200_credits(book: Book) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def live() -> tuple[Pair, list[str]]:
        async with room:
            pair = await invited(book)
            await book.send(pair.signup())
            paid = deposit(pair.referee_id)
            return pair, await asyncio.gather(*(book.send(paid) for _ in range(COPIES)))

    lives = await asyncio.gather(*(live() for _ in range(REFERRALS)))

    for pair, statuses in lives:
        assert sorted(statuses) == ["accepted", *["duplicate"] * (COPIES - 1)]
        credited = await book.at_stage(pair.referral_id, "REWARDED", within_s=60)
        assert credited.stages == ["INVITED", "SIGNED_UP", "REWARDED"]
        assert (await book.balance(pair.referrer_id)).minor("available") == 1000
    assert (await book.delivered()).failures == {}
