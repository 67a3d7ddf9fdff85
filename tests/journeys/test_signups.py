"""Attribution of signups: one person is referred once, whatever the number of invitations."""

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_invited_pair
from sandbox.sportsbook.requests import deposit, signup, unique_id


async def test_a_typed_code_refers_without_a_click(sportsbook: SportsbookClient) -> None:
    referrer_id, referee_id = unique_id("referrer"), unique_id("referee")
    code = await sportsbook.code(referrer_id)
    await sportsbook.send(signup(referee_id, code=f" {code.lower()} "))
    await sportsbook.send(deposit(referee_id))

    referral = await sportsbook.wait_until_bound(referee_id)

    credited = await sportsbook.wait_for_stage(referral.referral_id, "REWARDED")
    assert (credited.referrer_id, credited.referee_id) == (referrer_id, referee_id)


async def test_the_other_invitations_of_a_visitor_are_lost(sportsbook: SportsbookClient) -> None:
    visitor_id, referrers = unique_id("visitor"), [unique_id("referrer") for _ in range(3)]
    first, *others = [
        Pair(
            referrer_id=referrer,
            referee_id=unique_id("referee"),
            invitation=await sportsbook.click(await sportsbook.code(referrer), visitor_id),
        )
        for referrer in referrers
    ]

    await sportsbook.send(first.signup())

    await sportsbook.wait_for_stage(first.referral_id, "SIGNED_UP")
    for other in others:
        assert (await sportsbook.wait_for_stage(other.referral_id, "LOST")).stages == [
            "INVITED",
            "LOST",
        ]


async def test_a_token_that_another_player_used_opens_a_new_referral(
    sportsbook: SportsbookClient,
) -> None:
    pair = await create_invited_pair(sportsbook)
    second = Pair(
        referrer_id=pair.referrer_id, referee_id=unique_id("referee"), invitation=pair.invitation
    )
    await sportsbook.send(pair.signup())
    await sportsbook.wait_for_stage(pair.referral_id, "SIGNED_UP")

    await sportsbook.send(second.signup())
    await sportsbook.send(deposit(second.referee_id))

    referral = await sportsbook.wait_until_bound(second.referee_id)
    assert referral.referral_id != pair.referral_id
    credited = await sportsbook.wait_for_stage(referral.referral_id, "REWARDED")
    assert credited.referrer_id == pair.referrer_id


async def test_a_player_who_signs_up_again_stays_with_the_first_referrer(
    sportsbook: SportsbookClient,
) -> None:
    pair, other = await create_invited_pair(sportsbook), await create_invited_pair(sportsbook)
    again = Pair(
        referrer_id=other.referrer_id, referee_id=pair.referee_id, invitation=other.invitation
    )
    await sportsbook.send(pair.signup())
    await sportsbook.wait_for_stage(pair.referral_id, "SIGNED_UP")

    await sportsbook.send(again.signup())
    await sportsbook.wait_until_delivered()

    bound = await sportsbook.referrals_of(pair.referee_id)
    assert [referral.referral_id for referral in bound] == [pair.referral_id]
    assert (await sportsbook.referral(other.referral_id)).stage == "INVITED"


async def test_a_self_referral_is_rejected(sportsbook: SportsbookClient) -> None:
    player_id = unique_id("player")
    await sportsbook.send(signup(player_id, code=await sportsbook.code(player_id)))
    await sportsbook.send(deposit(player_id))
    referral = await sportsbook.wait_until_bound(player_id)

    rejected = await sportsbook.wait_for_stage(referral.referral_id, "REJECTED")

    assert rejected.assessment is not None
    assert "same_player" in rejected.assessment.reasons
    assert (await sportsbook.balance(player_id)).available == []
