"""Backtests: changed verdicts, money and queue of a candidate beside the baseline."""

from dataclasses import replace

from domain.fraud.backtest import Backtest, Judged
from domain.fraud.rule_sets import BASE
from domain.fraud.rules import Verdict
from domain.fraud.snapshot import ListHits, Snapshot
from domain.money import Money

HONEST = Snapshot()
DENIED = Snapshot(lists=ListHits(deny=("player",)))
SAME_PLAYER = Snapshot(same_player=True)
LENIENT = replace(BASE, version="2", weights={**BASE.weights, "denied": 0})
TEN = Money(1000, "USD")


def test_tells_what_a_candidate_changes() -> None:
    found = Backtest()
    for snapshot in (HONEST, DENIED, DENIED, SAME_PLAYER):
        judged = Judged(snapshot=snapshot, amounts=(TEN, Money(5, "EUR")))
        found.add(judged, baseline=BASE, candidate=LENIENT)
    assert (found.assessed, found.changed) == (4, 2)
    assert found.verdicts[Verdict.REVIEW, Verdict.PASS] == 2
    assert (found.baseline.queue, found.candidate.queue) == (2, 0)
    assert found.baseline.money_by_fate() == {
        "paid": [Money(5, "EUR"), Money(1000, "USD")],
        "held": [Money(10, "EUR"), Money(2000, "USD")],
        "blocked": [Money(5, "EUR"), Money(1000, "USD")],
    }
    assert found.candidate.money_by_fate() == {
        "paid": [Money(15, "EUR"), Money(3000, "USD")],
        "held": [],
        "blocked": [Money(5, "EUR"), Money(1000, "USD")],
    }


def test_tells_who_was_stopped_by_what_is_known_since() -> None:
    found = Backtest()
    for is_fraud in (True, True, False, None):
        judged = Judged(snapshot=DENIED, amounts=(), is_fraud=is_fraud)
        found.add(judged, baseline=BASE, candidate=LENIENT)
    assert (found.known[True], found.known[False]) == (2, 1)
    assert (found.baseline.stopped[True], found.baseline.stopped[False]) == (2, 1)
    assert (found.candidate.stopped[True], found.candidate.stopped[False]) == (0, 0)


def test_a_sampled_referral_is_paid() -> None:
    sampled = replace(BASE, sample_percent=100)
    found = Backtest()
    found.add(Judged(snapshot=HONEST, amounts=(TEN,)), baseline=BASE, candidate=sampled)
    assert found.verdicts[Verdict.PASS, Verdict.SAMPLE] == 1
    assert found.candidate.money_by_fate()["paid"] == [TEN]
    assert found.candidate.queue == 0
