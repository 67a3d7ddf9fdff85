"""Binding: a signup and the referral it belongs to, decided once under the player's lock."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import exists, insert, select

from db import deliveries, players
from db.addressing import deliver_every_fact
from db.claims import claims_of, signal_claim
from db.engine import Session
from db.referrals import enter, locked, open_referral, terms_of
from db.tables import AttributionLog, Campaign, CampaignVersion, ReferralCode, ReferralRow
from domain.attribution import Attribution, Claim, Refusal, Unattributed, attribute
from domain.facts import Signup
from domain.referral import Stage, deposit_awaited_until

BOUND: Final = "bound"
SUPERSEDED: Final = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What was decided of a signup; `outcome` is 'bound' or why it belongs to nobody."""

    outcome: str
    referral_id: UUID | None = None


async def bind_signup(
    session: Session,
    signup: Signup,
    *,
    token_key: bytes,
    now: datetime,
    only_referral: UUID | None = None,
) -> Binding:
    """Bind a recorded signup and route its player's facts; asked again, answer the same.

    `only_referral` is the one whose workflow was signalled directly.
    """
    await players.lock(session, signup.player_id)
    if decided := await _decided(session, signup.event_id):
        return decided
    claims: tuple[Claim, ...] = ()
    if await _is_referred(session, signup.player_id):
        verdict: Attribution | Unattributed = Unattributed(Refusal.EXISTING_PLAYER)
    else:
        claims = await _claims(session, signup, token_key=token_key, only_referral=only_referral)
        verdict = attribute(claims)
    if isinstance(verdict, Unattributed):
        return await _log(session, signup, claims, Binding(outcome=verdict.reason))
    row = await _bound(session, signup, verdict, now=now)
    binding = await _log(session, signup, claims, Binding(outcome=BOUND, referral_id=row.id))
    await deliver_every_fact(session, row)
    return binding


async def _decided(session: Session, event_id: str) -> Binding | None:
    row = await session.get(AttributionLog, event_id)
    return Binding(outcome=row.outcome, referral_id=row.referral_id) if row else None


async def _is_referred(session: Session, player_id: str) -> bool:
    bound = exists().where(ReferralRow.referee_id == player_id, ReferralRow.stage != Stage.LOST)
    before = exists().where(AttributionLog.player_id == player_id, AttributionLog.outcome == BOUND)
    return (await session.scalar(select(bound | before))) is True


async def _claims(
    session: Session, signup: Signup, *, token_key: bytes, only_referral: UUID | None
) -> tuple[Claim, ...]:
    if only_referral is not None:
        return (await signal_claim(session, signup, only_referral),)
    return await claims_of(session, signup, token_key=token_key)


async def _bound(
    session: Session, signup: Signup, attribution: Attribution, *, now: datetime
) -> ReferralRow:
    row = await _invitation(session, signup, attribution)
    row.referee_id = signup.player_id
    row.signed_up_at = signup.occurred_at
    row.signup_event_id = signup.event_id
    row.attribution_method = attribution.method
    row.attribution_confidence = attribution.confidence
    until = deposit_awaited_until(signup.occurred_at, terms_of(row), heard_at=now)
    await enter(session, row, Stage.SIGNED_UP, until=until, at=signup.occurred_at)
    await _supersede_others(session, row, now=now)
    return row


async def _invitation(session: Session, signup: Signup, attribution: Attribution) -> ReferralRow:
    if attribution.referral_id is not None:
        row = await locked(session, attribution.referral_id)
        if row is None:
            raise LookupError(f"referral {attribution.referral_id} is gone")
        return row
    return await _new_invitation(session, signup, attribution.code)


async def _new_invitation(session: Session, signup: Signup, code: str) -> ReferralRow:
    query = (
        select(ReferralCode, Campaign, CampaignVersion)
        .join(Campaign, Campaign.id == ReferralCode.campaign_id)
        .join(
            CampaignVersion,
            (CampaignVersion.campaign_id == Campaign.id)
            & (CampaignVersion.version == Campaign.version),
        )
    )
    found = (await session.execute(query.where(ReferralCode.code == code))).one()
    return await open_referral(
        session,
        referral_id=uuid5(found.Campaign.id, f"signup:{signup.event_id}"),
        code=found.ReferralCode,
        campaign=found.Campaign,
        version=found.CampaignVersion,
        invited_at=signup.occurred_at,
    )


async def _supersede_others(session: Session, winner: ReferralRow, *, now: datetime) -> None:
    """One visitor is one person: what else invited them has lost."""
    if winner.visitor is None:
        return
    losers = await session.scalars(
        select(ReferralRow)
        .where(
            ReferralRow.visitor == winner.visitor,
            ReferralRow.stage == Stage.INVITED,
            ReferralRow.id != winner.id,
        )
        .order_by(ReferralRow.id)
        .with_for_update(key_share=True)
    )
    for loser in losers.all():
        await enter(session, loser, Stage.LOST, until=now, at=now, reason=SUPERSEDED)
        event_id = f"{SUPERSEDED}:{winner.id}"
        await deliveries.add(session, loser.id, kind="look", event_id=event_id, signal="supersede")


async def _log(
    session: Session, signup: Signup, claims: tuple[Claim, ...], binding: Binding
) -> Binding:
    await session.execute(
        insert(AttributionLog).values(
            signup_event_id=signup.event_id,
            player_id=signup.player_id,
            outcome=binding.outcome,
            referral_id=binding.referral_id,
            claims=[_plain(claim) for claim in claims],
        )
    )
    return binding


def _plain(claim: Claim) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(claim).items() if value is not None}
