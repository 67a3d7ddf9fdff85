"""Guards of promises, owners, debts and signatures, against the application's own role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from db.engine import Database, Session
from db.tables import ReferralRow, Reward, TransferRow
from domain.ledger.movements import Movement, Transfer
from domain.money import Money
from referrals.ledger.posting import post
from tests import builders
from tests.referrals import reward_builders

REWARD: Final = """
    INSERT INTO rewards (id, referral_id, reward_type, player_id, amount_minor, currency, status,
                         deposit_event_id, campaign_version_id, created_at, changed_at)
    SELECT gen_random_uuid(), id, '{side}', {side}_id, {minor}, '{currency}', 'DEFERRED',
           'a-deposit', campaign_version_id, now(), now()
      FROM referrals WHERE id = :referral_id
"""
AUDIT: Final = """
    INSERT INTO audit (actor, action, subject, reason, details)
    SELECT :actor, :action, 'campaign:' || slug, :reason,
           jsonb_build_object('reference', 'a reference', 'minor', cast(:minor as bigint))
      FROM campaigns WHERE id = :campaign_id
"""
SIGNED: Final = {"actor": "a-marketer", "action": "fund", "reason": "why", "minor": 700}


@pytest.mark.parametrize(
    ("side", "minor", "currency"),
    [("referrer", 5_000_000, "USD"), ("referrer", 1000, "EUR"), ("referee", 1000, "USD")],
    ids=["another amount", "another currency", "no such promise"],
)
async def test_a_reward_that_its_terms_do_not_promise_is_refused(
    database: Database, side: str, minor: int, currency: str
) -> None:
    planted = REWARD.format(side=side, minor=minor, currency=currency)
    async with database.transaction() as session:
        referral = await builders.a_bound_referral(session)
    async with _refused(database, "is not what its terms promise") as session:
        await session.execute(text(planted), {"referral_id": referral.id})


async def test_a_promised_reward_is_accepted(database: Database) -> None:
    promised = REWARD.format(side="referrer", minor=1000, currency="USD")
    async with database.transaction() as session:
        referral = await builders.a_bound_referral(session)
        await session.execute(text(promised), {"referral_id": referral.id})
        await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        await session.rollback()


@pytest.mark.parametrize("movement", [Movement.HOLD, Movement.REINSTATE])
async def test_a_reward_is_not_paid_to_another_player(
    database: Database, movement: Movement
) -> None:
    async with database.transaction() as session:
        referral = await reward_builders.a_reversed_referral(session)
    async with _refused(database, "not of the player, currency and campaign") as session:
        stolen = await _transfer_of(session, referral, movement)
        await post(session, [replace(stolen, player_id="somebody-else")], at=builders.NOW)


async def test_a_reward_is_not_paid_out_of_another_campaigns_budget(database: Database) -> None:
    async with database.transaction() as session:
        referral = await reward_builders.a_reversed_referral(session)
        other = (await builders.an_offer(session)).campaign.id
    async with _refused(database, "not of the player, currency and campaign") as session:
        misled = await _transfer_of(session, referral, Movement.REINSTATE)
        await post(session, [replace(misled, campaign_id=other)], at=builders.NOW)


@pytest.mark.parametrize("movement", [Movement.RECOVER, Movement.FORGIVE])
async def test_no_more_of_a_reward_is_recovered_and_forgiven_than_is_owed(
    database: Database, movement: Movement
) -> None:
    async with database.transaction() as session:
        indebted = await reward_builders.a_reversed_referral(session, spent=builders.usd())
        other = await reward_builders.a_rewarded_referral(session)
    for referral, minor in ((indebted, 1001), (other, 1)):
        async with _refused(database, "more of reward .* than is owed") as session:
            too_much = await _transfer_of(session, referral, movement, minor=minor)
            await session.execute(insert(TransferRow).values(_values(too_much)))


async def test_a_promised_amount_stays(database: Database) -> None:
    async with database.transaction() as session:
        row = await reward_builders.a_rewarded_referral(session)
    async with _refused(database, "is promised or was reserved") as session:
        raised = text("UPDATE rewards SET amount_minor = 1001 WHERE referral_id = :id")
        await session.execute(raised, {"id": row.id})


@pytest.mark.parametrize(
    ("player", "minor"),
    [("'mallory'", "amount_minor"), ("player_id", "amount_minor + 1"), ("player_id", "10000000")],
)
async def test_a_payment_is_not_ordered_for_a_stranger_or_beyond_its_reward(
    database: Database, player: str, minor: str
) -> None:
    async with database.transaction() as session:
        row = await reward_builders.a_rewarded_referral(session)
    ordered = f"""
        INSERT INTO payment_orders (id, player_id, referral_id, reward_id, kind, cycle, attempt,
                                    reason, gross_minor, currency)
        SELECT gen_random_uuid(), {player}, referral_id, id, 'reward', 0, 1, 'because', {minor},
               currency
          FROM rewards WHERE referral_id = :referral_id
    """  # noqa: S608 - from the table above
    with pytest.raises(DBAPIError, match="is not of its reward, or of more than it"):
        async with database.transaction() as session:
            await session.execute(text(ordered), {"referral_id": row.id})


@pytest.mark.parametrize(
    "signature",
    [
        None,
        SIGNED | {"minor": 701},
        SIGNED | {"action": "defund"},
        SIGNED | {"action": "publish"},
        SIGNED | {"reason": ""},
        SIGNED | {"actor": ""},
    ],
    ids=["nobody", "another amount", "another act", "a publication", "no reason", "no name"],
)
async def test_a_budget_that_nobody_signed_is_not_moved(
    database: Database, signature: dict[str, object] | None
) -> None:
    async with database.transaction() as session:
        campaign = (await builders.an_offer(session)).campaign
    async with _refused(database, "nobody signed it in the audit") as session:
        await _fund(session, campaign.id, signature)


async def test_the_signature_of_one_funding_is_not_that_of_a_second_one(
    database: Database,
) -> None:
    async with database.transaction() as session:
        campaign = (await builders.an_offer(session)).campaign
        await _fund(session, campaign.id, SIGNED)
    async with _refused(database, "nobody signed it in the audit") as session:
        await _fund(session, campaign.id, None)


async def _fund(session: Session, campaign_id: UUID, signature: dict[str, object] | None) -> None:
    if signature is not None:
        action = f"campaign.{signature['action']}"
        signed = signature | {"action": action, "campaign_id": campaign_id}
        await session.execute(text(AUDIT), signed)
    transfer = Transfer(
        id=uuid4(),
        movement=Movement.FUND,
        amount=builders.usd(700),
        campaign_id=campaign_id,
    )
    await post(session, [transfer], at=builders.NOW, reference="a reference")


async def _transfer_of(
    session: Session, referral: ReferralRow, movement: Movement, *, minor: int | None = None
) -> Transfer:
    """Return another movement of a referral's reward, under a new id."""
    query = select(Reward).where(Reward.referral_id == referral.id)
    reward = (await session.scalars(query)).one()
    return Transfer(
        id=uuid4(),
        movement=movement,
        amount=Money(minor or reward.amount_minor, reward.currency),
        campaign_id=referral.campaign_id,
        player_id=reward.player_id,
        reward_id=reward.id,
        referral_id=referral.id,
    )


def _values(transfer: Transfer) -> dict[str, object]:
    """Return the row of a transfer, to be inserted past the code of the ledger."""
    return {
        "id": transfer.id,
        "movement": transfer.movement,
        "amount_minor": transfer.amount.minor,
        "currency": transfer.amount.currency,
        "campaign_id": transfer.campaign_id,
        "player_id": transfer.player_id,
        "reward_id": transfer.reward_id,
        "at": builders.NOW,
    }


@asynccontextmanager
async def _refused(database: Database, why: str) -> AsyncIterator[Session]:
    """Run a transaction that the database must refuse, at the latest at its commit."""
    with pytest.raises(DBAPIError, match=why):
        async with database.transaction() as session:
            yield session
