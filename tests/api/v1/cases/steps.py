"""Steps that tests of cases share: rewards held for review, and cases filed by the courier."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from httpx import AsyncClient, Response
from sqlalchemy import select

from db.engine import Database
from db.tables import CaseReferral, CaseRow
from domain.fraud.cases import CaseChoice, CaseKind, SecondPersonLimits
from domain.intake.facts import Deposit
from domain.lifecycle.referral import Stage
from referrals.access.audit import Actor
from referrals.fraud.cases import decisions, open_late_link, open_sample
from referrals.fraud.cases.claims import CaseOutcome
from referrals.fraud.cases.decisions import CaseDecision
from referrals.fraud.cases.filing import file_doubts
from tests.activities.referral_acts import (
    LATER,
    ReferralActs,
    card_of,
    record_referrer_signup,
    sign_up,
)
from tests.builders import TERMS, deposit, signup, unique, usd

URL: Final = "/v1/cases"


async def hold(
    database: Database, *, referrer_id: str | None = None, minor: int = 1000
) -> ReferralActs:
    """Hold a reward of a referrer, because the pair shares a mailbox."""
    terms = replace(TERMS, referrer_reward=usd(minor))
    referrer_id = referrer_id or unique("referrer")
    acts = await sign_up(database, terms=terms, budget=usd(minor * 10), referrer_id=referrer_id)
    mailbox = card_of(acts)
    await record_referrer_signup(acts, email=mailbox)
    await acts.receives(signup(acts.referee_id, email=mailbox), deposit(acts.referee_id))
    assert (await acts.credit()).stage is Stage.HELD
    return acts


async def file_cases(database: Database) -> None:
    """File every doubt, as the courier does."""
    filed = True
    while filed:
        async with database.transaction() as session:
            filed = await file_doubts(session, limit=100) > 0


async def filed_case(database: Database, referral_id: UUID) -> UUID:
    """File every doubt and return the case of a referral."""
    await file_cases(database)
    async with database.reading() as session:
        query = select(CaseReferral.case_id).where(CaseReferral.referral_id == referral_id)
        return (await session.scalars(query)).one()


async def case_of(client: AsyncClient, acts: ReferralActs, **filters: str) -> dict[str, Any]:
    """Return the newest case of a referral."""
    query = {"player_id": acts.referee_id, **filters}
    items = (await client.get(URL, params=query)).json()["items"]
    case: dict[str, Any] = next(item for item in items if str(acts.row.id) in item["referrals"])
    return case


async def open_case(client: AsyncClient, database: Database, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - those of `hold`
    acts = await hold(database, **options)
    await file_cases(database)
    return await case_of(client, acts)


async def decide(
    client: AsyncClient, case: dict[str, Any], decision: str, **fields: str
) -> Response:
    body = {"decision": decision, "reason": "looked into it", **fields}
    return await client.post(f"{URL}/{case['case_id']}/decision", json=body)


async def show(client: AsyncClient, case: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = (await client.get(f"{URL}/{case['case_id']}")).json()
    return shown


async def credited(database: Database, *, minor: int = 1000) -> tuple[ReferralActs, Deposit]:
    terms = replace(TERMS, referrer_reward=usd(minor))
    acts = await sign_up(database, terms=terms, budget=usd(minor * 10))
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    assert (await acts.credit()).stage is Stage.REWARDED
    return acts, paid


async def doubt(
    client: AsyncClient,
    acts: ReferralActs,
    *,
    kind: CaseKind = CaseKind.LATE_LINK,
    link: str = "payment_instrument",
) -> dict[str, Any]:
    """Open a case about a credited referral, and return it."""
    async with acts.database.transaction() as session:
        if kind is CaseKind.SAMPLE:
            await open_sample(session, acts.row.id, at=LATER)
        else:
            await open_late_link(session, acts.row.id, kinds=[link], at=LATER)
    await file_cases(acts.database)
    query = {"player_id": acts.referee_id, "status": "open"}
    found = (await client.get(URL, params=query)).json()["items"]
    case: dict[str, Any] = next(one for one in found if one["kind"] == kind)
    return case


async def reject_late_link(acts: ReferralActs) -> None:
    """Let a reviewer reject a credited referral, which a late link put in doubt."""
    async with acts.database.transaction() as session:
        await open_late_link(session, acts.row.id, kinds=["payment_instrument"], at=LATER)
    await file_cases(acts.database)
    query = (
        select(CaseRow.id)
        .join(CaseReferral, CaseReferral.case_id == CaseRow.id)
        .where(CaseReferral.referral_id == acts.row.id, CaseRow.kind == CaseKind.LATE_LINK)
    )
    actor = Actor(name="a reviewer", request_id="a test", reason="one person")
    async with acts.database.transaction() as session:
        outcome = await decisions.decide(
            session,
            (await session.scalars(query)).one(),
            CaseDecision(choice=CaseChoice.REJECT),
            actor,
            limits=SecondPersonLimits.parse("500.00 USD"),
            now=LATER,
        )
    assert outcome is CaseOutcome.CHANGED
