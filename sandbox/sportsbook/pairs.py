"""Two players and the referral between them, advanced to the stage that a story needs."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.requests import Event, deposit, signup, unique_id
from sandbox.sportsbook.responses import Invitation


@dataclass(frozen=True, slots=True, kw_only=True)
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


async def create_invited_pair(sportsbook: SportsbookClient, campaign: str = "default") -> Pair:
    referrer_id = unique_id("referrer")
    invitation = await sportsbook.click(await sportsbook.code(referrer_id, campaign))
    return Pair(referrer_id=referrer_id, referee_id=unique_id("referee"), invitation=invitation)


async def create_signed_up_pair(sportsbook: SportsbookClient, campaign: str = "default") -> Pair:
    pair = await create_invited_pair(sportsbook, campaign)
    await sportsbook.send(pair.signup())
    await sportsbook.wait_for_stage(pair.referral_id, "SIGNED_UP")
    return pair


async def create_deposited_pair(
    sportsbook: SportsbookClient, *stages: str, campaign: str = "default", minor: int = 2000
) -> tuple[Pair, Event]:
    """Create a pair with a qualifying deposit, in one of `stages` (default: REWARDED)."""
    pair = await create_signed_up_pair(sportsbook, campaign)
    paid = deposit(pair.referee_id, minor=minor)
    await sportsbook.send(paid)
    await sportsbook.wait_for_stage(pair.referral_id, *(stages or ("REWARDED",)))
    return pair, paid
