"""Attribution of signups: one person is referred once, whatever the number of invitations."""

from sandbox.sportsbook.book import Book
from sandbox.sportsbook.events import deposit, signup, unique
from sandbox.sportsbook.pairs import Pair, invited


async def test_a_typed_code_refers_without_a_click(book: Book) -> None:
    referrer_id, referee_id = unique("referrer"), unique("referee")
    code = await book.code(referrer_id)
    await book.send(signup(referee_id, code=f" {code.lower()} "))
    await book.send(deposit(referee_id))

    referral = await book.bound(referee_id)

    credited = await book.at_stage(referral.referral_id, "REWARDED")
    assert (credited.referrer_id, credited.referee_id) == (referrer_id, referee_id)


async def test_the_other_invitations_of_a_visitor_are_lost(book: Book) -> None:
    visitor_id, referrers = unique("visitor"), [unique("referrer") for _ in range(3)]
    first, *others = [
        Pair(referrer, unique("referee"), await book.click(await book.code(referrer), visitor_id))
        for referrer in referrers
    ]

    await book.send(first.signup())

    await book.at_stage(first.referral_id, "SIGNED_UP")
    for other in others:
        assert (await book.at_stage(other.referral_id, "LOST")).stages == ["INVITED", "LOST"]


async def test_a_token_that_another_player_used_opens_a_new_referral(book: Book) -> None:
    pair = await invited(book)
    second = Pair(pair.referrer_id, unique("referee"), pair.invitation)
    await book.send(pair.signup())
    await book.at_stage(pair.referral_id, "SIGNED_UP")

    await book.send(second.signup())
    await book.send(deposit(second.referee_id))

    referral = await book.bound(second.referee_id)
    assert referral.referral_id != pair.referral_id
    credited = await book.at_stage(referral.referral_id, "REWARDED")
    assert credited.referrer_id == pair.referrer_id


async def test_a_player_who_signs_up_again_stays_with_the_first_referrer(book: Book) -> None:
    pair, other = await invited(book), await invited(book)
    again = Pair(other.referrer_id, pair.referee_id, other.invitation)
    await book.send(pair.signup())
    await book.at_stage(pair.referral_id, "SIGNED_UP")

    await book.send(again.signup())
    await book.delivered()

    bound = await book.referrals_of(pair.referee_id)
    assert [referral.referral_id for referral in bound] == [pair.referral_id]
    assert (await book.referral(other.referral_id)).stage == "INVITED"


async def test_a_self_referral_is_rejected(book: Book) -> None:
    player_id = unique("player")
    await book.send(signup(player_id, code=await book.code(player_id)))
    await book.send(deposit(player_id))
    referral = await book.bound(player_id)

    rejected = await book.at_stage(referral.referral_id, "REJECTED")

    assert rejected.assessment is not None
    assert "same_player" in rejected.assessment.reasons
    assert (await book.balance(player_id)).available == []
