"""Knowledge about the players and referrals of messages that are due, read in one go."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from db.engine import Session
from db.tables import Campaign, NotificationRow, ReferralRow
from domain.campaigns.terms import Reminders, Schedule
from domain.intake.facts import FactKind, Signup, StatusChange
from domain.lifecycle.referral import Stage
from domain.notifications.messages import REMINDERS, Kind, Message, Pending
from domain.notifications.sending import (
    Circumstances,
    NotificationStatus,
    Preferences,
    are_reminders_off,
)
from domain.rewards.eligibility import eligibility
from referrals.campaigns.offers import schedule_of
from referrals.intake import facts
from referrals.lifecycle.stages import terms_of
from referrals.notifications.preferences import preferences_of_players

STAGE_OF_PENDING: Final = {Pending.SIGNUP: Stage.INVITED, Pending.DEPOSIT: Stage.SIGNED_UP}
ONCE_PER_REFERRAL: Final = (Kind.FRIEND_SIGNED_UP,)
"""Kinds whose event may come twice: a referral that was re-opened is SIGNED_UP again."""

TellingKey = tuple[UUID, str, Kind]


class UnreadablePlayerError(ValueError):
    """A fact of the player is none that this release can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Rows and facts by the ids of what they are about."""

    now: datetime
    no_reminders_in: tuple[str, ...]
    referrals: Mapping[UUID, ReferralRow]
    schedules: Mapping[UUID, Schedule]
    """Schedules of the referrals' campaigns, for reminders."""
    preferences: Mapping[str, Preferences]
    signups: Mapping[str, Signup]
    statuses: Mapping[str, Sequence[StatusChange]]
    unreadable: frozenset[str]
    """Players of whom a fact cannot be read: nothing is decided about them."""
    told: set[TellingKey]
    """Messages told once per referral that were; grows while a batch is handed on."""

    def preferences_of(self, player_id: str) -> Preferences:
        return self.preferences.get(player_id, Preferences())

    def note_told(self, row: NotificationRow) -> None:
        if row.kind in ONCE_PER_REFERRAL:
            self.told.add((row.referral_id, row.player_id, row.kind))

    def signup_locale(self, player_id: str) -> str | None:
        signup = self.signups.get(player_id)
        return signup.locale if signup else None

    def circumstances_of(self, row: NotificationRow, message: Message) -> Circumstances:
        """Return what decides about a message; raise ValueError for what a later release wrote."""
        plain = Circumstances(
            now=self.now,
            preferences=self.preferences_of(row.player_id),
            is_excluded=self._is_excluded(row.player_id),
            was_told=(row.referral_id, row.player_id, row.kind) in self.told,
        )
        if message.kind not in REMINDERS:
            return plain
        referral = self.referrals[row.referral_id]
        return replace(
            plain,
            is_pending=self._is_pending(referral, message),
            campaign_is_open=self.schedules[referral.campaign_id].is_open(self.now),
            allows_reminders=not self._forbids_reminders(referral, row.player_id),
        )

    def _is_pending(self, referral: ReferralRow, message: Message) -> bool:
        stage = STAGE_OF_PENDING[message.pending] if message.pending else None
        is_open = message.until is not None and self.now < message.until
        if any(map(self._is_excluded, players_of(referral))):
            return False
        return is_open and referral.stage is stage

    def _is_excluded(self, player_id: str) -> bool:
        if player_id in self.unreadable:
            raise UnreadablePlayerError
        state = eligibility(self.statuses.get(player_id, ()))
        return state.is_excluded or state.is_closed

    def _forbids_reminders(self, referral: ReferralRow, player_id: str) -> bool:
        reminders = terms_of(referral).reminders or Reminders()
        places = {
            known: self.signups[known].jurisdiction
            for known in players_of(referral)
            if known in self.signups
        }
        listed = (*self.no_reminders_in, *reminders.not_in)
        return are_reminders_off(listed, reader=places.get(player_id), players=places.values())


async def load_knowledge(
    session: Session,
    rows: Sequence[NotificationRow],
    *,
    now: datetime,
    no_reminders_in: tuple[str, ...],
) -> Knowledge:
    query = select(ReferralRow).where(ReferralRow.id.in_({row.referral_id for row in rows}))
    referrals = {referral.id: referral for referral in await session.scalars(query)}
    campaigns = select(Campaign).where(
        Campaign.id.in_({referral.campaign_id for referral in referrals.values()})
    )
    players = {row.player_id for row in rows}.union(*map(players_of, referrals.values()))
    recorded, unreadable = await facts.readable_facts_of_players(
        session, players, FactKind.SIGNUP, FactKind.PLAYER
    )
    statuses = defaultdict(list)
    for fact in recorded:
        if isinstance(fact, StatusChange):
            statuses[fact.player_id].append(fact)
    return Knowledge(
        now=now,
        no_reminders_in=no_reminders_in,
        referrals=referrals,
        schedules={row.id: schedule_of(row) for row in await session.scalars(campaigns)},
        preferences=await preferences_of_players(session, players),
        signups={fact.player_id: fact for fact in reversed(recorded) if isinstance(fact, Signup)},
        statuses=statuses,
        unreadable=unreadable,
        told=await _told_before(session, rows),
    )


def players_of(referral: ReferralRow) -> Iterable[str]:
    return filter(None, (referral.referrer_id, referral.referee_id))


async def _told_before(session: Session, rows: Sequence[NotificationRow]) -> set[TellingKey]:
    asked = {row.referral_id for row in rows if row.kind in ONCE_PER_REFERRAL}
    query = select(NotificationRow.referral_id, NotificationRow.player_id, NotificationRow.kind)
    found = await session.execute(
        query.where(
            NotificationRow.referral_id.in_(asked),
            NotificationRow.kind.in_(ONCE_PER_REFERRAL),
            NotificationRow.status == NotificationStatus.HANDED_ON,
        )
    )
    return {(row.referral_id, row.player_id, row.kind) for row in found}
