"""The demo's stories about attribution: friends who arrive without the link they followed."""

from typing import Final

from sandbox.demo.proofs import Proofs
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.requests import ago, campaign_draft, deposit, signup, unique_id

HOME: Final = "198.51.100.20"
DORM: Final = "198.51.100.21"
SAFARI: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
PHONE: Final = {"os_version": "18.5", "locale": "en-US", "time_zone": "America/New_York"}


async def claim_code_after_signup(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    """Credit a deposit that was made before the player typed the referrer's code."""
    referrer_id, friend = unique_id("referrer"), unique_id("friend")
    code = await sportsbook.code(referrer_id)
    await sportsbook.send(signup(friend, at=ago(hours=2)))
    await sportsbook.send(deposit(friend, at=ago(hours=1)))
    await sportsbook.wait_until_delivered()
    claimed = await sportsbook.claim(friend, code.lower())
    referral = await sportsbook.wait_until_bound(friend)
    credited = await sportsbook.wait_for_stage(referral.referral_id, "REWARDED")
    balance = await sportsbook.balance(referrer_id)
    proofs.add("outcome of the code typed two hours later", expected="bound", seen=claimed)
    proofs.add("stage", expected="REWARDED", seen=credited.stage)
    proofs.add("credited", expected="$10.00", seen=balance.dollars("available"))


async def confirm_match_before_paying(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    """Ask about a probabilistic match, and pay only after the person confirms it."""
    referrer_id, friend = unique_id("referrer"), unique_id("friend")
    code = await sportsbook.code(referrer_id)
    await sportsbook.click(code, platform="web", ip=HOME, **PHONE)
    found = await sportsbook.resolve(
        platform="ios", ip=HOME, device_id=unique_id("install"), **PHONE
    )
    await sportsbook.send(signup(friend, platform="ios", referral_token=found.referral_token))
    await sportsbook.send(deposit(friend))
    await sportsbook.wait_until_delivered()
    before = await sportsbook.referrals_of(friend)
    answered = await sportsbook.confirm(found.referral_token or "")
    referral = await sportsbook.wait_until_bound(friend)
    credited = await sportsbook.wait_for_stage(referral.referral_id, "REWARDED")
    proofs.add("the app's question", expected=f"Did {code} invite you?", seen=found.ask)
    proofs.add("referrals of the friend before the answer", expected=0, seen=len(before))
    proofs.add("outcome of the answer yes", expected="bound", seen=answered)
    proofs.add("stage", expected="REWARDED", seen=credited.stage)


async def ambiguous_match_asks_nothing(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    for _ in range(2):
        code = await sportsbook.code(unique_id("referrer"))
        await sportsbook.click(code, platform="web", ip=DORM, **PHONE)
    found = await sportsbook.resolve(
        platform="ios", ip=DORM, device_id=unique_id("install"), **PHONE
    )
    proofs.add("the app's question", expected=None, seen=found.ask)


async def competing_touches(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    """Bind a signup to the typed code instead of two links, and show why."""
    visitor, friend = unique_id("visitor"), unique_id("friend")
    links = [
        await sportsbook.click(await sportsbook.code(unique_id("referrer")), visitor)
        for _ in range(2)
    ]
    typed = await sportsbook.code(unique_id("referrer"))
    token = links[-1].referral_token
    registered = signup(friend, referral_token=token, code=typed)
    await sportsbook.send(registered)
    await sportsbook.wait_until_bound(friend)
    others = [await sportsbook.wait_for_stage(link.referral_id, "LOST") for link in links]
    decided = await sportsbook.get_attribution(registered.id)
    judged = sorted(f"{one.method} {one.outcome}" for one in decided.candidates)
    expected = ["referral_token outranked", "referral_token outranked", "typed_code won"]
    reasons = [other.timeline[-1].reason for other in others]
    agrees = decided.decided_again is not None and decided.decided_again.agrees
    proofs.add("touches judged", expected=expected, seen=judged)
    proofs.add("why the two links lost", expected=["superseded"] * 2, seen=reasons)
    proofs.add("the decision recomputed from stored data agrees", expected=True, seen=agrees)


async def read_on_a_phone(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    """Serve the page in Spanish; a link preview reads the same page without an invitation."""
    code = await sportsbook.code(
        unique_id("referrer"), await sportsbook.publish(campaign_draft(opens="landing"))
    )
    person = await sportsbook.follow(code, user_agent=SAFARI, language="es-MX,es;q=0.9")
    preview = await sportsbook.follow(code, user_agent="WhatsApp/2.24.6 A", language="")
    loads = person.headers["Content-Security-Policy"].split(";")[0]
    proofs.add("its language", expected="es", seen=person.headers["Content-Language"])
    proofs.add("what it may load from other origins", expected="default-src 'none'", seen=loads)
    proofs.add("it shows the code", expected=True, seen=f">{code}<" in person.text)
    proofs.add(
        "it contains an invitation: for a person, for a link preview",
        expected=[True, False],
        seen=["referral_token=" in answer.text for answer in (person, preview)],
    )
