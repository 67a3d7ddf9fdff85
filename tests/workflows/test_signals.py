"""Direct signals to a workflow, well-formed and malformed."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from sqlalchemy import select

from db.tables import FactRow
from domain.intake.facts import Choice, FactKind
from domain.lifecycle.referral import Stage
from domain.lifecycle.signals import Signal
from integrations import hosting_networks
from referrals.fraud import reviews
from referrals.fraud.reviews import ReviewOutcome
from referrals.intake import facts
from referrals.intake.canonical import body_of
from referrals.intake.origins import ORIGIN
from tests import builders
from tests.builders import chargeback, usd
from tests.state import Balances
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.life_steps import decide_review, hold_for_review
from tests.workflows.harness.world import World
from workflows.referral.workflow import ReferralWorkflow

PLAIN = {"email": "ann@example.com", "ip": "203.0.113.9", "device_id": "phone-of-ann"}

WITHOUT_CURRENCY = {
    "event_id": "without-currency",
    "occurred_at": "2026-03-01T12:00:00Z",
    "player_id": "somebody",
    "deposit_id": "d-1",
    "amount": {"minor": 1000, "currency": "\0"},
}


async def invite_and_signal_signup(world: World) -> Life:
    life = await invite(world)
    await life.signals("sign_up", life.signup(referral_token=None))
    await life.reaches(Stage.SIGNED_UP)
    return life


async def test_lives_by_signals_alone(world: World) -> None:
    life = await invite_and_signal_signup(world)
    deposit = life.deposit()
    await life.signals("make_deposit", deposit)
    await life.reaches(Stage.REWARDED)
    await life.signals("charge_back", chargeback(deposit, at=await life.now()))
    await life.reaches(Stage.REVERSED)

    assert await life.lives_on() is Stage.REVERSED
    assert await life.referrer_balances() == Balances()


async def test_events_signalled_and_carried_by_the_courier_count_once(world: World) -> None:
    life = await invite(world)
    signup, deposit = life.signup(), life.deposit()
    await life.signals("sign_up", signup)
    await life.receives(signup)
    await life.signals("make_deposit", deposit)
    await life.receives(deposit)
    await life.routes()
    await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED
    assert await life.stages() == [Stage.INVITED, Stage.SIGNED_UP, Stage.REWARDED, Stage.SETTLED]


async def test_a_deposit_signalled_before_its_signup_counts(world: World) -> None:
    life = await invite(world)
    await life.signals("make_deposit", life.deposit())
    await life.signals("sign_up", life.signup())
    await life.reaches(Stage.REWARDED)

    assert await life.referrer_balances() == Balances(available=1000)


async def test_personal_data_in_a_signal_is_stored_hashed(world: World) -> None:
    life = await invite(world)
    await life.signals("sign_up", life.signup(**PLAIN))
    await life.reaches(Stage.SIGNED_UP)

    async with world.database.reading() as session:
        (stored,) = await facts.facts_of_player(session, life.referee_id, FactKind.SIGNUP)
    body = body_of(stored)
    assert {field: body[field][:4] for field in PLAIN} == dict.fromkeys(PLAIN, "hm1:")


async def test_a_signal_says_as_much_of_network_and_mailbox_as_other_doors(world: World) -> None:
    hosted = str(next(ip_network(one)[1] for one in hosting_networks.NETWORKS))
    life = await invite(world)
    await life.signals("sign_up", life.signup(ip=hosted, email="ann@mailinator.com"))
    await life.reaches(Stage.SIGNED_UP)

    async with world.database.reading() as session:
        query = select(FactRow.matching).where(FactRow.player_id == life.referee_id)
        matching = await session.scalar(query.where(FactRow.kind == FactKind.SIGNUP))
    assert matching is not None
    assert (matching[ORIGIN]["is_hosting"], matching[ORIGIN]["is_disposable_mail"]) == (True, True)


async def test_a_signal_with_other_content_under_a_known_id_changes_nothing(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    small = await life.deposits(10)
    await life.signals("make_deposit", replace(small, amount=usd(5000)))

    assert await life.lives_on() is Stage.EXPIRED
    assert await life.referrer_balances() == Balances()


async def test_a_deposit_of_somebody_else_earns_nothing(world: World) -> None:
    life = await invite_and_signal_signup(world)
    await life.signals("make_deposit", builders.deposit(at=life.began_at))

    assert await life.lives_on() is Stage.EXPIRED


async def test_facts_of_another_player_pass_through_no_workflow(world: World) -> None:
    life, other = await invite_and_signal_signup(world), await invite_and_signal_signup(world)
    paid = await other.deposits()
    await other.reaches(Stage.REWARDED)
    forged = builders.deposit("somebody-else", at=life.began_at)
    await life.signals("make_deposit", forged)
    await life.signals("charge_back", chargeback(paid))
    await life.signals("make_deposit", life.deposit())
    await life.reaches(Stage.REWARDED)

    async with world.database.reading() as session:
        assert not await facts.is_recorded(session, FactKind.DEPOSIT, forged.event_id)
        assert not await facts.facts_of_player(session, other.referee_id, FactKind.CHARGEBACK)
    assert await other.lives_on() is Stage.SETTLED


async def test_facts_of_another_player_before_any_signup_pass_through_no_workflow(
    world: World,
) -> None:
    life = await invite(world)
    forged = builders.deposit("a-stranger", at=life.began_at)
    await life.signals("make_deposit", forged)
    await life.signals("sign_up", life.signup())
    await life.reaches(Stage.SIGNED_UP)
    await life.signals("make_deposit", life.deposit())
    await life.reaches(Stage.REWARDED)

    async with world.database.reading() as session:
        assert not await facts.is_recorded(session, FactKind.DEPOSIT, forged.event_id)


@pytest.mark.parametrize(
    ("signal", "arguments"),
    [
        ("make_deposit", []),
        ("make_deposit", [None]),
        ("make_deposit", [{}]),
        ("make_deposit", ["a deposit"]),
        ("make_deposit", [{}, {}]),
        ("sign_up", []),
        ("sign_up", [None]),
        ("sign_up", [17]),
        ("charge_back", [{"event_id": "c-1"}]),
        ("make_deposit", [WITHOUT_CURRENCY]),
        ("charge_back", [WITHOUT_CURRENCY | {"kind": "chargeback"}]),
        ("decide", [[]]),
        ("look", [{"one": "too many"}]),
        ("supersede", [1, 2]),
        ("unheard_of", [1]),
    ],
)
async def test_a_malformed_signal_blocks_nobody(
    world: World, signal: str, arguments: list[object]
) -> None:
    life = await invite(world)
    await life.signals(signal, *arguments)
    await life.signs_up()
    await life.signals(signal, *arguments)
    await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED


async def test_a_time_without_an_offset_is_dropped(world: World) -> None:
    life = await invite_and_signal_signup(world)
    naive = {**body_of(life.deposit()), "occurred_at": "2026-03-01T12:00:00"}
    await life.signals("make_deposit", naive)

    assert await life.lives_on() is Stage.EXPIRED


async def test_a_decision_before_any_review_decides_nothing(world: World) -> None:
    life = await invite_and_signal_signup(world)
    await life.signals("decide", builders.decision(Choice.REJECT))
    await life.acted("score_and_credit")
    await life.deposits()

    assert await life.lives_on() is Stage.SETTLED


@pytest.mark.parametrize("reviewer", ["cfo", " "])
@pytest.mark.parametrize("event_id", ["review:{}", "approval-of-{}"])
async def test_a_decision_that_nobody_recorded_decides_nothing(
    world: World, reviewer: str, event_id: str
) -> None:
    life = await hold_for_review(world)
    forged = replace(
        builders.decision(Choice.APPROVE, at=life.began_at),
        event_id=event_id.format(reviews.review_id_of(life.row.id)),
        reviewer=reviewer,
    )
    await life.signals("decide", forged)
    await life.acted("resolve_hold")

    async with world.database.reading() as session:
        review = await reviews.find_review(session, life.row.id)
        recorded = await facts.is_recorded(session, FactKind.DECISION, forged.event_id)
    assert review
    assert (review.decision, recorded) == (None, False)
    assert await life.referrer_balances() == Balances(held=1000)

    assert await decide_review(life, Choice.REJECT) is ReviewOutcome.DECIDED
    assert await life.ends() is Stage.REJECTED


async def test_a_chargeback_while_a_closing_referral_records_is_not_lost(world: World) -> None:
    """Send a copy of the signup while it settles, and the chargeback while that is recorded."""
    life = await invite(world)
    signup = await life.signs_up()
    deposit = await life.deposits()
    await life.reaches(Stage.REWARDED)

    async def signal_signup() -> None:
        world.hooks.after[life.id, "settle_referral"] = charge_back
        await life.signals("sign_up", signup)

    async def charge_back() -> None:
        del world.hooks.after[life.id, "settle_referral"]
        await life.takes_back(deposit)

    world.hooks.after[life.id, "settle_referral"] = signal_signup
    await life.skips_time(timedelta(days=121))
    await life.reaches(Stage.REVERSED)

    assert await life.ends() is Stage.REVERSED


@pytest.mark.parametrize("signal", Signal)
def test_the_workflow_has_a_handler_for_every_signal(signal: Signal) -> None:
    assert callable(getattr(ReferralWorkflow, signal))
