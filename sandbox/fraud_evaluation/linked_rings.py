"""Rings whose accounts share a hard link: a device, a card, a phone, a passport."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sandbox.fraud_evaluation import habits
from sandbox.fraud_evaluation.accounts import Account, home_address, phone_number
from sandbox.fraud_evaluation.groups import GroupDraft, Habits


def one_device(draft: GroupDraft) -> None:
    """Open every account on one phone, with another card and number each."""
    _star(draft, platform="android", device_id=f"device-{draft.name}")


def one_card(draft: GroupDraft) -> None:
    """Open every account on a clean device behind another address, and pay with one card."""
    _star(draft, card=f"card-{draft.name}")


def one_phone_number(draft: GroupDraft) -> None:
    """Give one phone number, written in another way for each account."""
    written = phone_number(next(draft.numbers))
    national = written.removeprefix("+1")
    spellings = (
        written,
        f"001{national}",
        f"({national[:3]}) {national[3:6]}-{national[6:]}",
        f"+1 {national[:3]} {national[3:6]} {national[6:]}",
        written.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    )
    star = [draft.account(phone=spellings[n % len(spellings)]) for n in range(draft.size)]
    bring_all(draft, star)


def one_passport(draft: GroupDraft) -> None:
    """Verify every account with one document, from clean devices and with other cards."""
    _star(draft, kyc_subject=f"kyc-{draft.name}")


def endless_chain(draft: GroupDraft) -> None:
    """Let two people bring each other's next account without end; the first is honest."""
    persons = [
        {"device_id": f"device-{draft.name}-{who}", "platform": "ios"}
        | {"card": f"card-{draft.name}-{who}", "kyc_subject": f"kyc-{draft.name}-{who}"}
        | {"phone": phone_number(next(draft.numbers)), "ip": home_address(draft.rng)}
        for who in ("a", "b")
    ]
    at, previous = draft.begins_at, None
    for number in range(draft.size):
        account = draft.account(**persons[number % 2])
        how = _farmer(draft)
        draft.joins(account, how, at=at, brought_by=previous, is_fraud=number > 1)
        at, previous = at + how.deposits_after + timedelta(hours=draft.rng.uniform(1, 30)), account


def funding_chain(draft: GroupDraft) -> None:
    """Let each account withdraw to the account from which the next one is funded."""
    previous = draft.account()
    at = draft.joins(previous, habits.honest(draft.rng), at=draft.begins_at)
    for number in range(1, draft.size):
        wallet = f"wallet-{draft.name}-{number}"
        at += timedelta(hours=draft.rng.uniform(1, 20))
        draft.withdraws(previous, 900, at=at, instrument=wallet)
        account = draft.account(card=wallet)
        at += timedelta(hours=draft.rng.uniform(0.2, 5))
        how = _no_withdrawal(_farmer(draft))
        at = draft.joins(account, how, at=at, brought_by=previous, is_fraud=True)
        previous = account


def late_card(draft: GroupDraft) -> None:
    """Deposit with clean cards first, and once the rewards are paid with one card for all."""
    star = [draft.account() for _ in range(draft.size)]
    paid_at = bring_all(draft, star)
    for account in star:
        paid_at += timedelta(hours=draft.rng.uniform(1, 10))
        again = paid_at + timedelta(days=4)
        draft.deposits(account, 2000, at=again, instrument=f"card-{draft.name}")


def bring_all(draft: GroupDraft, star: Sequence[Account]) -> Any:  # noqa: ANN401
    """Let the first account bring all others; return when the last one deposits."""
    root, *rest = star
    at = draft.joins(root, habits.honest(draft.rng), at=draft.begins_at)
    for account in rest:
        at += timedelta(hours=draft.rng.uniform(0.3, 30))
        at = draft.joins(account, _farmer(draft), at=at, brought_by=root, is_fraud=True)
    return at


def _star(draft: GroupDraft, **shared: Any) -> None:  # noqa: ANN401
    bring_all(draft, [draft.account(**shared) for _ in range(draft.size)])


def _farmer(draft: GroupDraft) -> Habits:
    return draft.rng.choice((habits.careless, habits.careful))(draft.rng)


def _no_withdrawal(how: Habits) -> Habits:
    return Habits(
        deposit_minor=how.deposit_minor,
        deposits_after=how.deposits_after,
        stake_minor=how.stake_minor,
        wagers_after=how.wagers_after,
    )
