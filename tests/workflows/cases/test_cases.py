"""Cases of held rewards: opened, escalated while nobody answers, and ended by a person."""

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from domain.fraud.cases import CaseChoice, CaseStatus
from domain.intake.facts import Choice
from domain.lifecycle.referral import Stage
from referrals.fraud.cases import decisions
from referrals.fraud.cases.claims import CaseOutcome
from referrals.fraud.cases.decisions import CaseDecision
from tests.builders import TERMS
from tests.state import Balances
from tests.workflows.harness.held_case import LIMITS, REVIEWER, open_case
from tests.workflows.harness.life_steps import decide_review
from tests.workflows.harness.world import World
from tests.workflows.replay import CASE_HISTORIES, replayer


@pytest.mark.parametrize(
    ("choice", "stage"),
    [(CaseChoice.APPROVE, Stage.REWARDED), (CaseChoice.REJECT, Stage.REJECTED)],
)
async def test_a_decision_ends_the_case_and_reaches_its_referral(
    world: World, choice: CaseChoice, stage: Stage
) -> None:
    case = await open_case(world)

    assert await case.decide(choice) is CaseOutcome.CHANGED

    assert await case.ends() is CaseStatus.DECIDED
    await case.life.reaches(stage)


async def test_silence_escalates_a_case_and_never_decides_it(world: World) -> None:
    case = await open_case(world)
    due_at = (await case.stored_row()).due_at

    await world.env.fast_forward(case.handle, timedelta(days=20))

    row = await case.stored_row()
    assert row.status == CaseStatus.OPEN
    assert row.escalated_at
    assert row.escalated_at >= due_at
    assert row.due_at - row.escalated_at == TERMS.review_period
    assert await case.life.referrer_balances() == Balances(held=1000)
    await case.decide(CaseChoice.APPROVE)
    assert await case.ends() is CaseStatus.DECIDED


async def test_an_extension_postpones_the_escalation(world: World) -> None:
    case = await open_case(world)
    until = (await case.stored_row()).due_at + timedelta(days=10)
    extension = CaseDecision(choice=CaseChoice.EXTEND, until=until)
    async with world.database.transaction() as session:
        await decisions.decide(
            session, case.id, extension, REVIEWER, limits=LIMITS, now=case.life.began_at
        )
    await case.carry()

    await world.env.fast_forward(case.handle, timedelta(days=9))
    assert (await case.stored_row()).escalated_at is None
    await world.env.fast_forward(case.handle, timedelta(days=5))
    assert (await case.stored_row()).escalated_at


async def test_a_case_whose_only_review_was_decided_by_itself_ends(world: World) -> None:
    case = await open_case(world)
    await decide_review(case.life, Choice.REJECT)
    await case.carry()

    assert await case.ends() is CaseStatus.DECIDED
    assert (await case.stored_row()).decision is Choice.REJECT


async def test_a_malformed_signal_leaves_a_case_alone(world: World) -> None:
    case = await open_case(world)
    await case.handle.signal("look", args=[{"not": "expected"}])
    await case.handle.signal("decide", args=["approve"])
    await case.decide(CaseChoice.REJECT)

    assert await case.ends() is CaseStatus.DECIDED


@pytest.mark.parametrize("path", sorted(CASE_HISTORIES.glob("*.json")), ids=lambda p: p.stem)
async def test_a_committed_history_of_a_case_replays(path: Path) -> None:
    await replayer().replay_workflow(WorkflowHistory.from_json(path.stem, path.read_text()))
