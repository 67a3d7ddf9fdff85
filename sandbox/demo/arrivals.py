"""What the demo plays of attribution: friends whose link did not come along with them."""

from typing import Final

from sandbox.demo.proofs import Proofs
from sandbox.sportsbook.book import Book
from sandbox.sportsbook.campaigns import draft
from sandbox.sportsbook.events import ago, deposit, signup, unique

HOME: Final = "198.51.100.20"
DORM: Final = "198.51.100.21"
SAFARI: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
PHONE: Final = {"os_version": "18.5", "locale": "en-US", "time_zone": "America/New_York"}


async def claim_code_after_signup(book: Book, proofs: Proofs) -> None:
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


async def confirm_match_before_paying(book: Book, proofs: Proofs) -> None:
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


async def ambiguous_match_asks_nothing(book: Book, proofs: Proofs) -> None:
    for _ in range(2):
        code = await book.code(unique("referrer"))
        await book.click(code, platform="web", ip=DORM, **PHONE)
    found = await book.resolve(platform="ios", ip=DORM, device_id=unique("install"), **PHONE)
    proofs.add("who is asked about", expected=None, seen=found.ask)


async def disputed(book: Book, proofs: Proofs) -> None:
    """Two links and a code: one counts, the others are lost, and anybody can ask why."""
    visitor, friend = unique("visitor"), unique("friend")
    links = [await book.click(await book.code(unique("referrer")), visitor) for _ in range(2)]
    typed = await book.code(unique("referrer"))
    token = links[-1].referral_token
    registered = signup(friend, referral_token=token, code=typed)
    await book.send(registered)
    await book.bound(friend)
    others = [await book.at_stage(link.referral_id, "LOST") for link in links]
    decided = await book.decision(registered.id)
    weighed = sorted(f"{one.method} {one.outcome}" for one in decided.candidates)
    expected = ["referral_token outranked", "referral_token outranked", "typed_code won"]
    reasons = [other.timeline[-1].reason for other in others]
    agrees = decided.decided_again is not None and decided.decided_again.agrees
    proofs.add("what was weighed", expected=expected, seen=weighed)
    proofs.add("why the two links are lost", expected=["superseded"] * 2, seen=reasons)
    proofs.add("decided again from what is stored, it agrees", expected=True, seen=agrees)


async def read_on_a_phone(book: Book, proofs: Proofs) -> None:
    """A link preview reads the same page, and is nobody's invitation."""
    code = await book.code(unique("referrer"), await book.publish(draft(opens="landing")))
    person = await book.follow(code, agent=SAFARI, language="es-MX,es;q=0.9")
    preview = await book.follow(code, agent="WhatsApp/2.24.6 A", language="")
    loads = person.headers["Content-Security-Policy"].split(";")[0]
    proofs.add("its language", expected="es", seen=person.headers["Content-Language"])
    proofs.add("what it may load from elsewhere", expected="default-src 'none'", seen=loads)
    proofs.add("the code is on it", expected=True, seen=f">{code}<" in person.text)
    proofs.add(
        "whether it carries an invitation: to a person, to a link preview",
        expected=[True, False],
        seen=["referral_token=" in answer.text for answer in (person, preview)],
    )
