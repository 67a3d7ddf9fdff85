"""The player of whom the tests of erasures know something."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from referrals.intake.events import DepositIn
from referrals.intake.facts import RecordOutcome
from stack.postgres import PostgresCluster
from tests.fixtures.databases import database_copy, open_database
from tests.referrals import reward_builders
from tests.referrals.chain.conftest import link_everything
from tests.referrals.personal.known_player import HASHER, TRAITS, Known, record


@pytest.fixture
async def known(postgres: PostgresCluster, template_database: str) -> AsyncIterator[Known]:
    async with (
        database_copy(postgres, template_database) as copy,
        open_database(copy.application) as application,
        open_database(copy.owner) as owner,
    ):
        async with application.transaction() as session:
            referral = await reward_builders.a_rewarded_referral(session)
            player_id = referral.referee_id or ""
            deposit = DepositIn.model_validate(
                {
                    "event_id": "a-deposit-with-traits",
                    "occurred_at": "2026-03-02T12:00:00Z",
                    "player_id": player_id,
                    "deposit_id": "a-deposit",
                    "amount": {"minor": 500, "currency": "USD"},
                    **TRAITS,
                }
            )
            assert await record(session, deposit) is RecordOutcome.ACCEPTED
            hashes = tuple(HASHER.hash(field, value) for field, value in TRAITS.items())
            link = text(
                "insert into identity_links (kind, value, player_id, first_seen_at, last_seen_at)"
                " values ('payment_instrument', :value, :player, now(), now())"
            )
            await session.execute(link, {"value": hashes[0], "player": player_id})
            touch = text(
                "insert into touches (id, method, confidence, at, referral_id, visitor, ip)"
                " values (gen_random_uuid(), 'cookie', 1, now(), :referral, :visitor, :ip)"
            )
            values = {"referral": referral.id, "visitor": hashes[2], "ip": hashes[1]}
            await session.execute(touch, values)
        await link_everything(application)
        yield Known(copy, application, owner, player_id, deposit, hashes)
