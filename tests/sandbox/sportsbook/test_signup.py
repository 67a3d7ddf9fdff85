"""The sandbox's signup service: what it stores, and the events in its outbox."""

from referrals.intake.events import SignupIn, StatusChangeIn
from sandbox.sportsbook.requests import unique_id
from sandbox.sportsbook.services.connections import Pool
from sandbox.sportsbook.services.signup import NewPlayer, SignupService
from tests.sandbox.sportsbook.events import events_of


async def test_opens_one_account_for_a_player_who_signs_up_twice(
    signup_service: SignupService, signup_pool: Pool
) -> None:
    player = NewPlayer(player_id=unique_id("player"), code="SPRING")

    opened = [await signup_service.sign_up(player) for _ in range(2)]

    (event,) = await events_of(signup_pool, player.player_id)
    assert opened == [True, False]
    assert event.pop("topic") == "signup.completed.v1"
    assert SignupIn.model_validate(event).code == "SPRING"


async def test_tells_of_each_change_of_a_players_status(
    signup_service: SignupService, signup_pool: Pool
) -> None:
    player = NewPlayer(player_id=unique_id("player"))
    await signup_service.sign_up(player)
    changes = ("verified", "verified", "self_excluded", "restored", "self_excluded")

    changed = [await signup_service.change_status(player.player_id, change) for change in changes]

    _, *events = await events_of(signup_pool, player.player_id)
    assert changed == [True, False, True, True, True]
    assert {event.pop("topic") for event in events} == {"players.status-changed.v1"}
    assert [StatusChangeIn.model_validate(event).status for event in events] == [
        *("verified", "self_excluded", "restored", "self_excluded")
    ]
    assert len({event["event_id"] for event in events}) == len(events)
