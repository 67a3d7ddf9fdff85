"""The statement of new invitations writes the same rows as the plain writers, column by column."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import text

from db.engine import Database, Session
from domain.attribution.policy import Method
from domain.campaigns.variants import PromisedRewards, Variant
from referrals.attribution.clicks.followed_codes import Click, followed_code, select_followed_codes
from referrals.attribution.clicks.statements import insert_invitations, invitation_of, touch_of
from referrals.attribution.touches import record_touch
from referrals.campaigns.offers import find_row
from referrals.lifecycle import deliveries
from referrals.lifecycle.stages import open_referral
from tests.builders import NOW, a_code, an_offer, delivery_of_invitation, unique, usd

ROWS_OF_REFERRAL: Final = {
    "referrals": "select * from referrals where id = :id",
    "timeline": "select * from timeline where referral_id = :id",
    "outbox": (
        "select * from outbox where aggregateid = cast(cast(:id as uuid) as text)"
        " and type = 'ReferralInvited'"
    ),
    "touches": "select * from touches where referral_id = :id",
    "deliveries": "select * from deliveries where referral_id = :id",
}
DRAWN: Final = {
    "referrals": {"created_at"},
    "timeline": {"recorded_at"},
    "outbox": {"seq", "xid", "created_at"},
    "touches": {"id"},
    "deliveries": {"id", "next_attempt_at", "created_at"},
}
"""Columns that the database fills by its clock or a sequence, and the touch's random id."""

VARIANTS: Final = tuple(
    Variant(
        name=name,
        weight=50,
        promised=PromisedRewards(referrer_reward=usd(minor), referee_reward=None, rewards=()),
    )
    for name, minor in (("fifteen", 1500), ("twenty", 2000))
)
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@pytest.mark.parametrize("variants", [(), VARIANTS], ids=["plain", "of variants"])
async def test_a_click_writes_the_same_rows_as_the_plain_writers(
    database: Database, variants: tuple[Variant, ...]
) -> None:
    async with database.transaction() as session:
        code = (await a_code(session, await an_offer(session, variants=variants))).code
        another_code = (await a_code(session, await an_offer(session))).code
    another = Click(code=another_code, visitor=unique("visitor"), platform="web", at=NOW)
    click = Click(
        code=code,
        visitor=unique("visitor"),
        platform="ios",
        at=NOW,
        method=Method.QR_CODE,
        device_traits={"os": "hm1:os", "model": "hm1:model"},
        ip="hm1:ip",
        user_agent="hm1:user-agent",
        device_id="hm1:device",
    )
    async with database.transaction() as session:
        found = await select_followed_codes(session, [another, click])
        invitations = [
            invitation_of(one, followed_code(row))
            for one, row in zip([another, click], found, strict=True)
            if row is not None
        ]
        _, referral_id = await insert_invitations(session, invitations)
        assert referral_id is not None
        by_statement = await _rows(session, referral_id)
        await session.rollback()
    async with database.transaction() as session:
        await _write_plainly(session, click, referral_id)
        by_plain_writers = await _rows(session, referral_id)
        await session.rollback()

    assert {table: len(rows) for table, rows in by_statement.items()} == dict.fromkeys(DRAWN, 1)
    assert by_statement == by_plain_writers


async def _write_plainly(session: Session, click: Click, referral_id: UUID) -> None:
    found = await find_row(session, click.code)
    assert found is not None
    code, campaign, version, _ = found
    referral = await open_referral(
        session,
        referral_id=referral_id,
        code=code,
        campaign=campaign,
        version=version,
        invited_at=click.at,
        visitor=click.visitor,
    )
    await session.flush()
    touch = touch_of(click, campaign=campaign.slug, referral_id=referral.id)
    await record_touch(session, touch)
    await deliveries.enqueue(session, referral.id, delivery_of_invitation(referral.id))


async def _rows(session: Session, referral_id: UUID) -> Rows:
    """Return every row of a referral in every table, without the columns that are drawn."""
    found = {}
    for table, query in ROWS_OF_REFERRAL.items():
        rows = (await session.execute(text(query), {"id": referral_id})).mappings().all()
        kept = [{k: v for k, v in row.items() if k not in DRAWN[table]} for row in rows]
        found[table] = kept
    return found
