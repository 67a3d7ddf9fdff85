"""A client with short pauses, a log of its callbacks, and events to hand over."""

from dataclasses import dataclass, field
from typing import Final

from referrals_client import Client, Dropped, Handover, Limits, Money, NotTaken
from sandbox.sportsbook.requests import unique_id

BRISK: Final = Limits(first_pause_s=0.01, longest_pause_s=0.05, attempt_s=2.0, drain_s=1.0)
SOON_S: Final = 60.0


@dataclass(slots=True)
class CallbackLog:
    dropped: list[Dropped] = field(default_factory=list)
    refused: list[NotTaken] = field(default_factory=list)

    def client(self, url: str, limits: Limits = BRISK, api_key: str = "a key") -> Client:
        return Client(
            url,
            api_key,
            limits=limits,
            on_dropped=self.dropped.append,
            on_refused=self.refused.append,
        )

    @property
    def dropped_ids(self) -> list[str]:
        return [dropped.event.event_id for dropped in self.dropped]


def sign_up(client: Client, player_id: str, event_id: str | None = None) -> Handover:
    return client.signed_up(
        event_id=event_id or unique_id("signup"),
        player_id=player_id,
        platform="web",
        jurisdiction="US-NJ",
        currency="USD",
    )


def deposit(client: Client, player_id: str, event_id: str | None = None) -> Handover:
    event_id = event_id or unique_id("deposit")
    return client.deposited(
        event_id=event_id,
        player_id=player_id,
        deposit_id=event_id,
        amount=Money(2000, "USD"),
    )
