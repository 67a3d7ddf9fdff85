"""The demo, which must prove what it shows and fail if a proof does not hold."""

from io import StringIO

from rich.console import Console

from sandbox.demo.main import prove
from sandbox.demo.proofs import Proofs
from sandbox.demo.stories import Story, paid_once
from sandbox.demo.travelling_deposit import travelling_story
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_deposited_pair
from stack import Connection


def proofs() -> tuple[Proofs, StringIO]:
    printed = StringIO()
    return Proofs(Console(file=printed, width=200)), printed


async def claims_too_much(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    pair, _ = await create_deposited_pair(sportsbook)
    balance = await sportsbook.balance(pair.referrer_id)
    proofs.add("cents credited", expected=2000, seen=balance.minor("available"))


async def breaks_off(sportsbook: SportsbookClient, _: Proofs) -> None:
    (await sportsbook.call("GET", "/v1/referrals/none")).raise_for_status()


async def test_ends_with_0_when_every_proof_holds(stack: Connection) -> None:
    all_proofs, printed = proofs()

    await prove(stack, all_proofs, [Story("Paid once", paid_once)])

    assert all_proofs.exit_code == 0, printed.getvalue()
    assert stack.temporal_ui_url in printed.getvalue()


async def test_shows_one_deposit_travelling_the_whole_way(stack: Connection) -> None:
    all_proofs, printed = proofs()

    await prove(stack, all_proofs, [travelling_story(stack)])

    assert all_proofs.exit_code == 0, printed.getvalue()
    assert "the whole way" in printed.getvalue()
    for recorded_by in ("payments service", "Kafka", "facts", "deliveries", "Temporal", "ledger"):
        assert f" {recorded_by} " in printed.getvalue()


async def test_ends_with_1_when_a_proof_does_not_hold(stack: Connection) -> None:
    all_proofs, printed = proofs()

    await prove(stack, all_proofs, [Story("A lie", claims_too_much)])

    assert all_proofs.exit_code == 1
    assert "expected 2000, seen 1000" in printed.getvalue()


async def test_ends_with_1_when_a_story_breaks_off(stack: Connection) -> None:
    all_proofs, printed = proofs()

    await prove(stack, all_proofs, [Story("Broken off", breaks_off)])

    assert all_proofs.exit_code == 1
    assert "expected no fault, seen HTTPStatusError" in printed.getvalue()


def test_ends_with_1_when_nothing_was_proved() -> None:
    assert proofs()[0].exit_code == 1
