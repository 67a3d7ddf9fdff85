"""Referrals in a fresh database, to verify and to corrupt."""

import pytest

from db.engine import Database
from tests.referrals.verification.stored import StoredReferrals, store_referrals


@pytest.fixture
async def stored_referrals(fresh_database: Database) -> StoredReferrals:
    return await store_referrals(fresh_database)
