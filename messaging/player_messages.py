"""Schema of the messages for players, which have a topic of their own."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.notifications.messages import Kind as NotificationKind
from messaging.events import MoneyOut, Published


class Notification(Published):
    """A message for a player, whom the sportsbook's own messaging reaches."""

    notification_id: Annotated[UUID, Field(description="The same in every copy")]
    player_id: str
    referral_id: UUID
    kind: Annotated[str, Field(examples=[member.value for member in NotificationKind])]
    locale: Annotated[str, Field(description="Language of subject and body", examples=["pt"])]
    subject: str
    body: str
    amount: Annotated[MoneyOut | None, Field(description="Cash; null for none or several")]
    bonus: Annotated[MoneyOut | None, Field(description="Bonus bets, likewise")] = None
    created_at: AwareDatetime
