"""Backoffs of players: the next attempt is delayed, and what is over is forgotten."""

from courier.pacing.player_backoffs import REMEMBERED_S, PlayerBackoffs
from courier.work_loop import MAX_BACKOFF_S


class StoppedClock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_player_who_failed_is_tried_again_after_a_while() -> None:
    clock = StoppedClock()
    backoffs = PlayerBackoffs(clock_s=clock)

    assert [backoffs.fail("player-1"), backoffs.fail("player-1")] == [1, 2]
    assert backoffs.backing_off() == ("player-1",)

    clock.now_s += MAX_BACKOFF_S * 2
    assert backoffs.backing_off() == ()
    assert backoffs.fail("player-1") == 3


def test_a_success_ends_the_backoff() -> None:
    backoffs = PlayerBackoffs(clock_s=StoppedClock())
    backoffs.fail("player-1")

    backoffs.succeed("player-1")

    assert backoffs.backing_off() == ()
    assert backoffs.fail("player-1") == 1


def test_players_whom_another_courier_has_routed_are_forgotten() -> None:
    clock = StoppedClock()
    backoffs = PlayerBackoffs(clock_s=clock)
    for number in range(1000):
        backoffs.fail(f"player-{number}")

    clock.now_s += MAX_BACKOFF_S * 2 + REMEMBERED_S
    backoffs.backing_off()

    assert len(backoffs) == 0
