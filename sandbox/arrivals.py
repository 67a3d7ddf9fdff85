"""What the demo plays of attribution: friends whose link did not come along with them."""

from typing import Final

from sandbox.book import Book
from sandbox.events import ago, deposit, signup, unique
from sandbox.proofs import Proofs

HOME: Final = "198.51.100.20"
DORM: Final = "198.51.100.21"
PHONE: Final = {"os_version": "18.5", "locale": "en-US", "time_zone": "America/New_York"}


async def typed_later(book: Book, proofs: Proofs) -> None:
    """The deposit is there before anybody knows who brought the player."""
    referrer_id, friend = unique("referrer"), unique("friend")
    code = await book.code(referrer_id)
    await book.send(signup(friend, at=ago(hours=2)))
    await book.send(deposit(friend, at=ago(hours=1)))
    await book.delivered()
    claimed = await book.claim(friend, code.lower())
    referral = await book.bound(friend)
    credited = await book.at_stage(referral.referral_id, "REWARDED")
    balance = await book.balance(referrer_id)
    proofs.add("the code typed two hours later is", expected="bound", seen=claimed)
    proofs.add("stage", expected="REWARDED", seen=credited.stage)
    proofs.add("credited", expected="$10.00", seen=balance.dollars("available"))


async def asked_first(book: Book, proofs: Proofs) -> None:
    """A likeness is only ever a question; money waits for the answer."""
    referrer_id, friend = unique("referrer"), unique("friend")
    code = await book.code(referrer_id)
    await book.click(code, platform="web", ip=HOME, **PHONE)
    found = await book.resolve(platform="ios", ip=HOME, device_id=unique("install"), **PHONE)
    await book.send(signup(friend, platform="ios", referral_token=found.referral_token))
    await book.send(deposit(friend))
    await book.delivered()
    unasked = await book.referrals_of(friend)
    answered = await book.confirm(found.referral_token or "")
    referral = await book.bound(friend)
    credited = await book.at_stage(referral.referral_id, "REWARDED")
    proofs.add("the app is told to ask", expected=f"Did {code} invite you?", seen=found.ask)
    proofs.add("referrals of the friend before the answer", expected=0, seen=len(unasked))
    proofs.add("the answer yes is", expected="bound", seen=answered)
    proofs.add("stage", expected="REWARDED", seen=credited.stage)


async def nobody_guessed(book: Book, proofs: Proofs) -> None:
    for _ in range(2):
        code = await book.code(unique("referrer"))
        await book.click(code, platform="web", ip=DORM, **PHONE)
    found = await book.resolve(platform="ios", ip=DORM, device_id=unique("install"), **PHONE)
    proofs.add("who is asked about", expected=None, seen=found.ask)
