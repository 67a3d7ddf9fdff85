"""Honest groups that look like rings: families, dormitories, shared networks, a streamer."""

from datetime import timedelta
from typing import Final

from sandbox.fraud_evaluation import habits
from sandbox.fraud_evaluation.accounts import PREFIXES, Account, home_address, name_of
from sandbox.fraud_evaluation.groups import STRICT, GroupDraft

SHARED_BROWSER_SHARE: Final = 0.35
STRICT_SHARE: Final = 0.25
MISSING_DEVICE_SHARE: Final = 0.01
FIRST_EVENING_SHARE: Final = 0.3
STREAMER_DAYS: Final = 30


def friends(draft: GroupDraft) -> None:
    """Bring friends one by one, of whom some bring others, all from homes of their own."""
    if draft.rng.random() < STRICT_SHARE:
        draft.campaign = STRICT
    joined = [(timedelta(0), _joins(draft, draft.account(), after=timedelta(0)))]
    for _ in range(1, draft.size):
        heard_after, by = draft.rng.choice(joined[:2])
        missing = {"device_id": None} if draft.rng.random() < MISSING_DEVICE_SHARE else {}
        after = heard_after + timedelta(hours=draft.rng.expovariate(1 / 70))
        joined.append((after, _joins(draft, draft.account(**missing), after=after, by=by)))


def family(draft: GroupDraft) -> None:
    """Bring the household: one address and one name; some share the browser at home."""
    ip = home_address(draft.rng)
    shares_browser = draft.rng.random() < SHARED_BROWSER_SHARE
    family_name = name_of(next(draft.numbers))
    joined: list[Account] = []
    for _ in range(draft.size):
        account = draft.account(
            ip=ip, full_name=f"{name_of(draft.rng.randrange(400))} {family_name}"
        )
        if shares_browser and account.platform == "web":
            draft.players.pop()
            account = draft.account(
                ip=ip,
                full_name=account.full_name,
                platform="web",
                device_id=f"browser-{draft.name}",
            )
        by = joined[0] if joined else None
        after = timedelta(hours=draft.rng.expovariate(1 / 90) if joined else 0)
        joined.append(_joins(draft, account, after=after, by=by))


def family_with_one_card(draft: GroupDraft) -> None:
    """Bring the household, whose members all pay with one card: a hard link, always reviewed."""
    ip, card = home_address(draft.rng), f"card-{draft.name}"
    root = _joins(draft, draft.account(ip=ip, card=card), after=timedelta(0))
    for _ in range(1, draft.size):
        after = timedelta(hours=draft.rng.expovariate(1 / 90))
        _joins(draft, draft.account(ip=ip, card=card), after=after, by=root)


def dormitory(draft: GroupDraft) -> None:
    """Bring room mates within a week behind the one address of the house."""
    _crowd(draft, [home_address(draft.rng)], days=7, friends_each=5)


def carrier_nat(draft: GroupDraft) -> None:
    """Bring friends over a carrier that puts hundreds of strangers behind few addresses."""
    prefix = draft.rng.randrange(PREFIXES)
    addresses = [home_address(draft.rng, prefix=prefix) for _ in range(4)]
    _crowd(draft, addresses, days=30, friends_each=3)


def stadium(draft: GroupDraft) -> None:
    """Bring those in the next seats during one match, all behind the stadium's address."""
    _crowd(draft, [home_address(draft.rng)], days=3 / 24, friends_each=3)


def streamer(draft: GroupDraft) -> None:
    """Bring an audience: most of it in the evening of a stream, at hundreds an hour."""
    root = _joins(draft, draft.account(), after=timedelta(0))
    for _ in range(1, draft.size):
        first = draft.rng.random() < FIRST_EVENING_SHARE
        hours = draft.rng.uniform(1, 5) if first else draft.rng.uniform(5, 24 * STREAMER_DAYS)
        _joins(draft, draft.account(), after=timedelta(hours=hours), by=root)


def _crowd(draft: GroupDraft, addresses: list[str], *, days: float, friends_each: int) -> None:
    """Bring strangers behind shared addresses, about `friends_each` through each referrer."""
    joined: list[tuple[timedelta, Account]] = []
    moments = sorted(timedelta(days=draft.rng.uniform(0, days)) for _ in range(draft.size))
    for after in moments:
        by = None
        if joined and draft.rng.random() > 1 / (friends_each + 1):
            by = draft.rng.choice(joined[-4 * friends_each :])[1]
        account = draft.account(ip=draft.rng.choice(addresses))
        joined.append((after, _joins(draft, account, after=after, by=by)))


def _joins(
    draft: GroupDraft, account: Account, *, after: timedelta, by: Account | None = None
) -> Account:
    draft.joins(account, habits.honest(draft.rng), at=draft.begins_at + after, brought_by=by)
    return account
