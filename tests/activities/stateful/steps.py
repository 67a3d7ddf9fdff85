"""The steps of a random history, each drawn so that it can happen where the history stands."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from db.engine import Database
from domain.campaigns.terms import Terms
from domain.intake.facts import Chargeback, Choice, Deposit, PlayerStatus, TakeBack
from domain.lifecycle.referral import OPEN_STAGES, Stage
from domain.money import Money
from referrals.campaigns.budget import spread
from tests.activities.stateful.play import Draw, Play
from tests.builders import TERMS, an_offer, chargeback, deposit, signup, status_change, usd


def _hashed(letter: str) -> str:
    return "hm1:" + letter * 64


HOURS, DAYS = timedelta(hours=1), timedelta(days=1)
MAX_REFEREES: Final = 9
REFERRERS: Final = ("referrer-1", "referrer-2")
BASE: Final = replace(
    TERMS,
    deposit_window=10 * DAYS,
    chargeback_window=30 * DAYS,
)
CAMPAIGNS: Final[dict[str, tuple[Terms, int]]] = {
    "plain": (BASE, 100_000),
    "small": (BASE, 1500),
    "held": (replace(BASE, hold_period=7 * DAYS), 100_000),
    "both": (replace(BASE, hold_period=2 * DAYS, referee_reward=usd(500)), 2000),
}
"""The terms and the budget of each campaign, in minor units."""
MIXES: Final = (("small", "plain"), ("both", "plain"), ("small", "held"), ("held", "both"))
"""Campaigns of one history: few enough to fill them."""
Step = Callable[[Play, Draw], Awaitable[object]]

_AMOUNTS: Final = st.sampled_from((1000, 1500, 2000, 2000, 3000, 3000, 999))
_LAGS: Final = st.sampled_from((timedelta(0),) * 5 + (HOURS, DAYS))
_NOTHING: Final[dict[str, Any]] = {}
_DEVICES: Final = st.sampled_from(
    (_NOTHING, _NOTHING, _NOTHING, {"ip": _hashed("a")}, {"device_id": _hashed("a")})
)
_TRAITS: Final = st.sampled_from(
    (
        *(_NOTHING,) * 5,
        {"ip": _hashed("a")},
        {"device_id": _hashed("a")},
        {"device_id": _hashed("b")},
        {"payment_instrument": _hashed("a")},
        {"payment_instrument": _hashed("b")},
    )
)
_IDENTITIES: Final = st.sampled_from((None, None, None, None, None, "a"))
_DAYS: Final = st.sampled_from((1, 1, 1, 2, 2, 3, 5, 7, 7, 11, 31))
_SHARDS: Final = st.sampled_from((None, None, 1, 2, 3))
_DISPUTES: Final = st.sampled_from((None, None, "one", "other"))


async def begin(database: Database, draw: Draw) -> Play:
    """Begin a history of some campaigns, which are funded; its first referee signs up."""
    play = Play(database, draw)
    names, shards = draw(st.sampled_from(MIXES)), draw(_SHARDS)
    async with database.transaction() as session:
        for name in names:
            terms, budget = CAMPAIGNS[name]
            play.offers[name] = await an_offer(session, terms=terms, budget=usd(budget), slug=name)
            play.model.purse.budget[name] = budget
            if shards:
                await spread(session, play.offers[name].campaign, ["USD"], shards)
    await sign_up(play, draw)
    return play


async def sign_up(play: Play, draw: Draw) -> str:
    """Sign up the next referee with a code of a referrer, who may be a referee too."""
    referee = f"referee-{len(play.acts) + 1}"
    identity = draw(_IDENTITIES)
    arrival = signup(
        referee,
        at=play.now - draw(_LAGS),
        kyc_subject=identity and _hashed(identity),
        **draw(_DEVICES),
    )
    referrer = draw(st.sampled_from((*REFERRERS, *REFERRERS, *play.acts)))
    open_ = [name for name in play.offers if name not in play.model.ended]
    await play.signs_up(arrival, referrer, draw(st.sampled_from(open_)))
    return referee


async def sign_up_and_deposit(play: Play, draw: Draw) -> None:
    await _deposit(play, draw, await sign_up(play, draw))


async def report_referrer(play: Play, draw: Draw) -> None:
    """Let a referrer sign up without a code, with an identity that a referee may share."""
    referrer, identity = draw(st.sampled_from(REFERRERS)), draw(_IDENTITIES)
    await play.receives(
        signup(referrer, at=_time(play), kyc_subject=identity and _hashed(identity))
    )


async def make_deposit(play: Play, draw: Draw) -> None:
    open_ = _at(play, Stage.SIGNED_UP) or _at(play, Stage.HELD)
    player = draw(st.sampled_from((*open_, *open_, *play.acts, *REFERRERS)))
    await _deposit(play, draw, player, late=True)


async def share_trait(play: Play, draw: Draw) -> None:
    """Let a referrer deposit with what a referee has used, after it was scored or before."""
    referee = draw(st.sampled_from(_with_traits(play)))
    trait = draw(st.sampled_from(_shareable(play, referee)))
    referrer = play.model.referrals[referee].referrer_id
    await play.receives(deposit(referrer, at=_time(play), **dict([trait])))


async def report_late(play: Play, draw: Draw) -> None:
    """Report a deposit of an expired referral that was made in its window."""
    referee = draw(st.sampled_from(_at(play, Stage.EXPIRED)))
    referral = play.model.referrals[referee]
    made_at = referral.signed_up_at + draw(st.integers(0, 9)) * DAYS
    unlike_others = timedelta(microseconds=1 + len(play.model.facts.by_id))
    amount = usd(draw(_AMOUNTS))
    made = deposit(referee, at=made_at + unlike_others, amount=amount, **draw(_TRAITS))
    if draw(st.integers(0, 5)) == 0:
        play.between.append(_take_back(play, made, draw))
    await play.receives(made)


async def take_back(play: Play, draw: Draw) -> None:
    """Refund or charge back a deposit in whole or in part, or undo that."""
    made = [f for f in play.model.facts.by_id.values() if isinstance(f, Deposit)]
    told = [f for f in made if f.player_id in play.acts]
    earned = [f for f in told if play.model.referrals[f.player_id].rests_on == f.event_id]
    taken = draw(st.sampled_from((*earned, *earned, *earned, *told)))
    await _tell(play, _take_back(play, taken, draw), draw)


async def take_back_twice(play: Play, draw: Draw) -> None:
    """Tell of two matters before anybody acts on the first."""
    await take_back(play, draw)
    await take_back(play, draw)


async def swap_deposit(play: Play, draw: Draw) -> None:
    """Put another deposit in the place of the one that a pending reward rests on."""
    referee = draw(st.sampled_from(_at(play, Stage.HELD, Stage.DEFERRED)))
    await _deposit(play, draw, referee)
    first = play.model.facts.by_id[play.model.referrals[referee].rests_on or ""]
    assert isinstance(first, Deposit)
    await _tell(play, chargeback(first, at=_time(play)), draw)


async def change_status(play: Play, draw: Draw) -> None:
    pending = _at(play, Stage.HELD, Stage.DEFERRED, Stage.REVERSED)
    player = draw(st.sampled_from((*pending, *play.acts, *REFERRERS)))
    status = draw(st.sampled_from((*PlayerStatus, PlayerStatus.RESTORED)))
    await play.receives(status_change(player, status, at=_time(play, draw)))


async def spend(play: Play, draw: Draw) -> None:
    player = draw(st.sampled_from(_rich(play)))
    await play.spends(player, usd(draw(st.sampled_from((700, 1000, 2000)))))


async def top_up(play: Play, draw: Draw) -> None:
    campaign = draw(st.sampled_from(tuple(play.offers)))
    await play.is_topped_up(campaign, usd(draw(st.sampled_from((300, 1000, 2500)))))


async def defund(play: Play, draw: Draw) -> None:
    campaign = draw(st.sampled_from(tuple(play.offers)))
    await play.is_defunded(campaign, usd(draw(st.sampled_from((500, 1000)))))


async def end_campaign(play: Play, draw: Draw) -> None:
    referee = draw(st.sampled_from(_at(play, Stage.DEFERRED)))
    await play.is_ended(play.model.referrals[referee].campaign)


async def give_spend_back(play: Play, draw: Draw) -> None:
    await play.is_given_back(*draw(st.sampled_from(play.spends_made)))


async def decide(play: Play, draw: Draw) -> None:
    choice = draw(st.sampled_from((Choice.APPROVE, Choice.APPROVE, Choice.REJECT)))
    await play.decides(draw(st.sampled_from(_in_review(play))), choice)


async def pass_time(play: Play, draw: Draw) -> None:
    await play.passes(draw(_DAYS) * DAYS)


async def deliver_again(play: Play, draw: Draw) -> None:
    """Deliver facts that are known already, in any order."""
    known = list(play.model.facts.by_id.values())
    await play.receives(*draw(st.lists(st.sampled_from(known), max_size=3)))


async def restart(play: Play, _: Draw) -> None:
    await play.looks_again()


def possible_steps(play: Play) -> list[Step]:
    """Return what may happen now, what is to happen more often as many times."""
    earned = any(r.rests_on for r in play.model.referrals.values())
    arrivals = 4 if len(play.acts) < MAX_REFEREES else 0
    weights: tuple[tuple[Step, int], ...] = (
        (sign_up_and_deposit, arrivals),
        (report_referrer, 1),
        (make_deposit, 3),
        (report_late, 4 if _at(play, Stage.EXPIRED) else 0),
        (share_trait, 2 if _with_traits(play) else 0),
        (take_back, 6 if earned else 0),
        (take_back_twice, 2 if earned else 0),
        (swap_deposit, 3 if _at(play, Stage.HELD, Stage.DEFERRED) else 0),
        (change_status, 3),
        (spend, 4 if _rich(play) else 0),
        (top_up, 4 if _at(play, Stage.DEFERRED) else 1),
        (defund, 1),
        (end_campaign, 1 if _at(play, Stage.DEFERRED) and not play.model.ended else 0),
        (give_spend_back, 1 if play.spends_made else 0),
        (decide, 5 if _in_review(play) else 0),
        (pass_time, 4),
        (deliver_again, 1),
        (restart, 1),
    )
    return [step for step, weight in weights for _ in range(weight)]


def _at(play: Play, *stages: Stage) -> list[str]:
    return [who for who, referral in play.model.referrals.items() if referral.stage in stages]


def _in_review(play: Play) -> list[str]:
    return [who for who, referral in play.model.referrals.items() if referral.open_review]


def _rich(play: Play) -> list[str]:
    return [player for player, minor in play.model.purse.available.items() if minor]


def _with_traits(play: Play) -> list[str]:
    pending = _at(play, Stage.SIGNED_UP, Stage.HELD, Stage.DEFERRED)
    return [who for who in pending if _shareable(play, who)]


def _shareable(play: Play, referee: str) -> list[tuple[str, str]]:
    """Return what another player's deposit may share with a referee."""
    return sorted(t for t in play.model.facts.traits(referee) if t[0] != "kyc_subject")


async def _deposit(play: Play, draw: Draw, player: str, *, late: bool = False) -> None:
    """Deposit, sometimes with news of it between its scoring and the crediting."""
    currency = draw(st.sampled_from(("USD",) * 14 + ("EUR",)))
    amount = Money(draw(_AMOUNTS), currency)
    at = _time(play, draw if late else None)
    made = deposit(player, at=at, amount=amount, **draw(_TRAITS))
    if draw(st.integers(0, 5)) == 0:
        play.between.append(_take_back(play, made, draw))
    await _tell(play, made, draw)


async def _tell(play: Play, fact: Deposit | Chargeback, draw: Draw) -> None:
    """Report a fact over one of the doors; a referral that ended has no workflow to signal."""
    is_open = fact.player_id in _at(play, *OPEN_STAGES)
    if is_open and draw(st.integers(0, 5)) == 0:
        await play.is_signalled(fact)
    else:
        await play.receives(fact)


def _take_back(play: Play, made: Deposit, draw: Draw) -> Chargeback:
    kind = draw(st.sampled_from((*TakeBack, TakeBack.CHARGEBACK, TakeBack.CHARGEBACK_WON)))
    part = draw(st.sampled_from((None, None, None, 1, 500, 1000)))
    currency = draw(st.sampled_from(("USD",) * 5 + ("EUR",)))
    amount = part and Money(part, currency)
    return chargeback(made, kind, at=_time(play), amount=amount, dispute_id=draw(_DISPUTES))


def _time(play: Play, draw: Draw | None = None) -> datetime:
    """Return a time of a fact; no two facts have the same one."""
    lag: timedelta = draw(_LAGS) if draw else timedelta(0)
    return play.now - lag + timedelta(milliseconds=len(play.model.facts.by_id) + len(play.between))
