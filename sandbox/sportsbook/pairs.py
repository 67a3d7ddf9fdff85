"""Two players and the referral between them, brought as far as a story needs."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.sportsbook.answers import Invitation
from sandbox.sportsbook.book import Book
from sandbox.sportsbook.events import Event, deposit, signup, unique


@dataclass(frozen=True, slots=True)
class Pair:
    """A referrer and a referee who has followed the referrer's code."""

    referrer_id: str
    referee_id: str
    invitation: Invitation

    @property
    def referral_id(self) -> str:
        return self.invitation.referral_id

    def signup(self, *, at: datetime | None = None, **fields: object) -> Event:
        token = self.invitation.referral_token
        return signup(self.referee_id, at=at, referral_token=token, **fields)


async def invited(book: Book, campaign: str = "default") -> Pair:
    referrer_id = unique("referrer")
    invitation = await book.click(await book.code(referrer_id, campaign))
    return Pair(referrer_id, unique("referee"), invitation)


async def signed_up(book: Book, campaign: str = "default") -> Pair:
    pair = await invited(book, campaign)
    await book.send(pair.signup())
    await book.at_stage(pair.referral_id, "SIGNED_UP")
    return pair


async def deposited(
    book: Book, *stages: str, campaign: str = "default", minor: int = 2000
) -> tuple[Pair, Event]:
    """A pair whose qualifying deposit brought it to one of `stages`: REWARDED if none is named."""
    pair = await signed_up(book, campaign)
    paid = deposit(pair.referee_id, minor=minor)
    await book.send(paid)
    await book.at_stage(pair.referral_id, *(stages or ("REWARDED",)))
    return pair, paid
