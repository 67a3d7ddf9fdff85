"""Clicks that come at the same time share their statements, and each gets its own result."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from db.batches import MAX_BATCH, MAX_IN_FLIGHT
from db.engine import Database
from db.faults import is_transient
from db.tables import CampaignVersion, OutboxRow, ReferralRow, TouchRow
from domain.campaigns.terms import CampaignStatus
from referrals.attribution.clicks.batching import ClickBatches, SessionClicks
from referrals.attribution.clicks.follow import ClickOutcome, follow_code
from referrals.attribution.clicks.followed_codes import Click, FollowedCode
from tests.builders import NOW, a_code, an_offer, unique
from tests.fixtures.database_activity import recorded_statements

INSERT = "insert into referrals"
CLICKS = 200
PATIENCE_S = 60.0


def click_of(code: str, visitor: str | None = None) -> Click:
    return Click(code=code, visitor=visitor or unique("visitor"), platform="web", at=NOW)


async def codes_of(database: Database, status: CampaignStatus, *, count: int = 1) -> list[str]:
    async with database.transaction() as session:
        offer = await an_offer(session, status=status)
        return [(await a_code(session, offer)).code for _ in range(count)]


async def referrals_of(database: Database, visitor: str) -> list[UUID]:
    async with database.reading() as session:
        query = select(ReferralRow.id).where(ReferralRow.visitor == visitor)
        return list(await session.scalars(query))


async def test_clicks_at_once_share_statements_and_each_makes_its_own_invitation(
    database: Database,
) -> None:
    codes = await codes_of(database, CampaignStatus.PUBLISHED, count=3)
    clicks = [click_of(codes[number % 3]) for number in range(CLICKS)]
    batches = ClickBatches(database)

    with recorded_statements(database) as statements:
        results = await asyncio.gather(*(follow_code(batches, click) for click in clicks))

    assert {result.outcome for result in results} == {ClickOutcome.NEW}
    assert len([one for one in statements if INSERT in one]) <= CLICKS // MAX_BATCH + MAX_IN_FLIGHT
    assert len(statements) <= 2 * (CLICKS // MAX_BATCH + MAX_IN_FLIGHT)
    async with database.reading() as session:
        for click, result in zip(clicks, results, strict=True):
            row = await session.get_one(ReferralRow, result.referral_id)
            assert (row.code, row.visitor) == (click.code, click.visitor)
            touches = select(TouchRow.visitor).where(TouchRow.referral_id == row.id)
            assert list(await session.scalars(touches)) == [click.visitor]
            events = select(OutboxRow.type).where(OutboxRow.aggregateid == str(row.id))
            assert list(await session.scalars(events.order_by(OutboxRow.seq))) == [
                "CodeClicked",
                "ReferralInvited",
            ]


async def test_clicks_of_one_visitor_at_once_make_one_invitation(database: Database) -> None:
    (code,) = await codes_of(database, CampaignStatus.PUBLISHED)
    visitor, batches = unique("visitor"), ClickBatches(database)

    results = await asyncio.gather(
        *(follow_code(batches, click_of(code, visitor)) for _ in range(30))
    )

    counted = Counter(result.outcome for result in results)
    assert counted == {ClickOutcome.NEW: 1, ClickOutcome.KNOWN: 29}
    (referral_id,) = await referrals_of(database, visitor)
    assert {result.referral_id for result in results} == {referral_id}
    async with database.reading() as session:
        touches = select(func.count()).where(TouchRow.referral_id == referral_id)
        assert await session.scalar(touches) == 30


async def test_two_apis_that_share_visitors_make_each_invitation_once(
    database: Database,
) -> None:
    codes = await codes_of(database, CampaignStatus.PUBLISHED, count=4)
    pairs = [(code, unique("visitor")) for code in codes for _ in range(16)]
    one, other = ClickBatches(database), ClickBatches(database)

    results = await asyncio.gather(
        *(follow_code(one, click_of(*pair)) for pair in pairs),
        *(follow_code(other, click_of(*pair)) for pair in reversed(pairs)),
    )

    counted = Counter(result.outcome for result in results)
    assert counted == {ClickOutcome.NEW: len(pairs), ClickOutcome.KNOWN: len(pairs)}
    assert len({result.referral_id for result in results}) == len(pairs)


async def test_codes_that_lead_nowhere_are_told_apart_from_those_beside_them(
    database: Database,
) -> None:
    (open_code,) = await codes_of(database, CampaignStatus.PUBLISHED)
    (paused,) = await codes_of(database, CampaignStatus.PAUSED)
    (ended,) = await codes_of(database, CampaignStatus.ENDED)
    followed = [open_code, paused, "NOBODYS-CODE", ended, open_code]
    batches = ClickBatches(database)

    results = await asyncio.gather(*(follow_code(batches, click_of(code)) for code in followed))

    assert [result.outcome for result in results] == [
        ClickOutcome.NEW,
        ClickOutcome.CAMPAIGN_PAUSED,
        ClickOutcome.UNKNOWN_CODE,
        ClickOutcome.CAMPAIGN_ENDED,
        ClickOutcome.NEW,
    ]
    assert results[0].referral_id != results[4].referral_id


async def test_a_click_that_postgres_refuses_fails_alone(database: Database) -> None:
    (code,) = await codes_of(database, CampaignStatus.PUBLISHED)
    clicks = [click_of(code) for _ in range(20)]
    clicks[7] = click_of(code, "longer than its column " * 10)
    batches = ClickBatches(database)

    results = await asyncio.gather(
        *(follow_code(batches, click) for click in clicks), return_exceptions=True
    )

    assert isinstance(results[7], DBAPIError)
    others = [result for result in results if not isinstance(result, BaseException)]
    assert [result.outcome for result in others] == [ClickOutcome.NEW] * 19


async def test_a_code_of_a_later_release_fails_alone(database: Database) -> None:
    (code,) = await codes_of(database, CampaignStatus.PUBLISHED)
    async with database.transaction() as session:
        offer = await an_offer(session)
        later = (await a_code(session, offer)).code
        session.add(
            CampaignVersion(
                id=uuid4(),
                campaign_id=offer.campaign.id,
                version=2,
                name="An offer of a later release",
                destination="https://book.example/signup",
                budget_minor=0,
                terms=offer.version.terms | {"schema": 99},
                attribution=offer.version.attribution,
                options=offer.version.options,
                author="tests",
            )
        )
        offer.campaign.version = 2
    clicks = [click_of(code) for _ in range(20)]
    clicks[7] = click_of(later)
    batches = ClickBatches(database)

    results = await asyncio.gather(
        *(follow_code(batches, click) for click in clicks), return_exceptions=True
    )

    assert isinstance(results[7], ValueError)
    others = [result for result in results if not isinstance(result, BaseException)]
    assert [result.outcome for result in others] == [ClickOutcome.NEW] * 19


async def test_a_first_open_that_holds_a_click_s_key_makes_no_stranger_wait(
    database: Database,
) -> None:
    (code,) = await codes_of(database, CampaignStatus.PUBLISHED)
    visitor, batches = unique("visitor"), ClickBatches(database)
    async with database.transaction() as session:
        first = await follow_code(SessionClicks(session), click_of(code, visitor))
        equal = asyncio.create_task(follow_code(batches, click_of(code, visitor)))
        strangers = [asyncio.create_task(follow_code(batches, click_of(code))) for _ in range(40)]
        done, waiting = await asyncio.wait(strangers, timeout=PATIENCE_S)
        assert not waiting
        assert {task.result().outcome for task in done} == {ClickOutcome.NEW}
        # It does not wait for ever, either: its visitor may try again.
        with pytest.raises(DBAPIError) as fault:
            await equal
        assert is_transient(fault.value)
    again = await follow_code(batches, click_of(code, visitor))
    assert (again.outcome, again.referral_id) == (ClickOutcome.KNOWN, first.referral_id)


async def test_a_batch_and_a_first_open_that_wait_for_each_other_both_end(
    database: Database,
) -> None:
    codes = sorted(await codes_of(database, CampaignStatus.PUBLISHED, count=2))
    visitor, batches = unique("visitor"), ClickBatches(database)
    async with database.transaction() as session:
        await follow_code(SessionClicks(session), click_of(codes[1], visitor))
        own = [asyncio.create_task(follow_code(batches, click_of(code, visitor))) for code in codes]
        strangers = [
            asyncio.create_task(follow_code(batches, click_of(codes[0]))) for _ in range(20)
        ]
        await asyncio.wait(strangers, timeout=PATIENCE_S)
        await follow_code(SessionClicks(session), click_of(codes[0], visitor))
    await asyncio.wait(own, timeout=PATIENCE_S)

    assert {(await task).outcome for task in strangers} == {ClickOutcome.NEW}
    assert len(await referrals_of(database, visitor)) == 2


class Departing(ClickBatches):
    """Batches of a visitor who goes away while an invitation is being written."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.is_inviting = asyncio.Event()

    async def invite(self, click: Click, followed: FollowedCode) -> UUID | None:
        self.is_inviting.set()
        return await super().invite(click, followed)


async def test_who_goes_away_before_the_invitation_is_written_makes_none(
    database: Database,
) -> None:
    (code,) = await codes_of(database, CampaignStatus.PUBLISHED)
    batches, visitors = ClickBatches(database), [unique("visitor") for _ in range(3)]
    waiting = [
        asyncio.create_task(follow_code(batches, click_of(code, visitor))) for visitor in visitors
    ]
    await asyncio.sleep(0)
    waiting[0].cancel()

    assert [(await task).outcome for task in waiting[1:]] == [ClickOutcome.NEW] * 2
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    assert await referrals_of(database, visitors[0]) == []


async def test_who_goes_away_while_the_invitation_is_written_gives_up_the_answer_alone(
    database: Database,
) -> None:
    (code,) = await codes_of(database, CampaignStatus.PUBLISHED)
    batches, visitor = Departing(database), unique("visitor")
    waiting = asyncio.create_task(follow_code(batches, click_of(code, visitor)))
    await batches.is_inviting.wait()
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    # Behind the batch of the one who went away.
    again = await follow_code(batches, click_of(code, visitor))
    (referral_id,) = await referrals_of(database, visitor)
    assert again.referral_id == referral_id
