"""Every touch that may have brought a signup, as far as the database can judge each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from db.engine import Session
from db.tables import ReferralRow, TouchRow
from domain.attribution.policy import (
    CONFIDENCE,
    DEFAULT_POLICY,
    RELIABILITY_RANK,
    Method,
    Policy,
    Refusal,
    Touch,
    policy_of_last_touch,
    weaker,
)
from domain.codes import parse_code
from domain.intake.facts import CLOCK_SKEW, Signup
from domain.lifecycle.referral import Stage
from referrals.attribution import invitations, touches
from referrals.attribution.first_open import match_validity as matches
from referrals.attribution.tokens import Outcome, TokenReading, Tokens
from referrals.attribution.touches import NewTouch
from referrals.campaigns import offers
from referrals.campaigns.offers import Offer
from referrals.lifecycle.stages import terms_of

_SIGNUP_TOUCHES: Final = UUID("6a5c9f0e-5f0b-5d5f-8a0b-2f0d8f6b7c11")
"""Namespace of the touches that signups bring themselves."""


@dataclass(slots=True)
class GatheredTouches:
    """What is to be decided between, and the policies of the campaigns that were touched."""

    touches: list[Touch] = field(default_factory=list)
    policies: dict[str, Policy] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        return policy_of_last_touch(self.touches, self.policies)

    @property
    def open_referrals(self) -> set[UUID]:
        return {touch.referral_id for touch in self.touches if touch.referral_id is not None}


async def of_signup(
    session: Session, signup: Signup, *, tokens: Tokens, signalled_to: UUID | None = None
) -> GatheredTouches:
    """What it brings along, and the referral whose workflow was signalled with it, if any was."""
    search = _Gathering(session, signup, GatheredTouches())
    if signalled_to is not None:
        await search.invitation(signalled_to, Method.SIGNAL)
    if signup.referral_token is not None:
        await search.token(signup.referral_token, tokens)
    if signup.cookie_token is not None:
        await search.token(signup.cookie_token, tokens, carried_by=Method.COOKIE)
    if signup.code is not None:
        await search.typed(signup.code)
    await search.told()
    search.found.touches = _once(search.found)
    return search.found


def typed_code_touch_id(signup: Signup) -> UUID:
    return uuid5(_SIGNUP_TOUCHES, signup.event_id)


class _Gathering:
    def __init__(self, session: Session, signup: Signup, found: GatheredTouches) -> None:
        self.session = session
        self.signup = signup
        self.found = found
        self.claims: Sequence[TouchRow] | None = None

    async def token(
        self, token: str, tokens: Tokens, *, carried_by: Method = Method.REFERRAL_TOKEN
    ) -> None:
        reading = tokens.read(token, at=self.signup.occurred_at)
        method = weaker(reading.method, carried_by)
        if reading.outcome is not Outcome.VALID or reading.subject is None:
            self._refuse(uuid5(_SIGNUP_TOUCHES, token), method, _REFUSAL_OF_TOKEN[reading.outcome])
        elif reading.method is Method.PROBABILISTIC:
            await self._match(reading)
        else:
            await self.invitation(reading.subject, method)

    async def invitation(self, referral_id: UUID, method: Method) -> None:
        """A token's invitation, and what else the same visitor touched."""
        locked = await invitations.locked(self.session, referral_id)
        self.found.policies |= locked.policies
        row = locked.wanted
        if row is None:
            self._refuse(referral_id, method, Refusal.UNKNOWN_REFERRAL)
            return
        contacts = await touches.tied(
            self.session, visitor=row.visitor, referral_id=row.id, player_id=self.signup.player_id
        )
        self.claims = [contact for contact in contacts if touches.is_told(contact)]
        for invited in (row, *locked.others):
            own = [contact for contact in contacts if contact.referral_id == invited.id]
            await self._add_touches(invited, own, method, is_presented=invited is row)

    async def typed(self, code: str) -> None:
        """A code typed at the signup is a touch at that moment."""
        wanted, touch_id = parse_code(code), typed_code_touch_id(self.signup)
        offer = await self._offer(wanted) if wanted else None
        self._code(touch_id, Method.TYPED_CODE, wanted, offer, at=self.signup.occurred_at)
        contact = _typed_code_touch(
            self.signup, touch_id, wanted, offer, self.found.touches[-1].refusal
        )
        await touches.record(self.session, contact)

    async def told(self) -> None:
        """Codes typed after the signup, or before it was heard of, and what support decided."""
        if self.claims is None:
            player_id = self.signup.player_id
            contacts = await touches.tied(self.session, player_id=player_id)
            self.claims = [contact for contact in contacts if touches.is_told(contact)]
        for row in self.claims:
            offer = await self._offer(row.code) if row.code else None
            grace = offer.terms.lateness_grace if offer else timedelta()
            at = touches.told_at(row, grace=grace)
            self._code(row.id, row.method, row.code, offer, at=at)

    async def _match(self, reading: TokenReading) -> None:
        """A match by device and network holds once the person has confirmed it."""
        if reading.subject is None:
            raise ValueError("a valid token has a subject")
        await touches.alone(self.session, reading.subject)
        row, answer = await touches.load_match_and_answer(self.session, reading.subject)
        if row is None or row.referral_id is None:
            self._refuse(reading.subject, Method.PROBABILISTIC, Refusal.UNKNOWN_REFERRAL)
            return
        before = len(self.found.touches)
        await self.invitation(row.referral_id, Method.PROBABILISTIC)
        grace = self.found.policies[row.campaign_slug or ""].claim_grace
        refusal = await matches.refusal_of_match(
            self.session, self.signup, row, answer, grace=grace
        )
        # A yes is to one code; what else its visitor touched may be another person's.
        self.found.touches[before:] = [
            matches.judged(touch, row, refusal)
            for touch in self.found.touches[before:]
            if touch.is_presented
        ]
        if answer is None:
            await matches.record_presenter(self.session, self.signup, row)

    async def _add_touches(
        self, row: ReferralRow, own: Sequence[TouchRow], method: Method, *, is_presented: bool
    ) -> None:
        """An invitation without contacts was made before they were written: it is one itself."""
        offer = None
        refusal, is_open = self._refusal(row), row.stage is Stage.INVITED
        # The player's own stays what it is, whatever became of its offer.
        is_own = row.referee_id == self.signup.player_id and row.stage is not Stage.LOST
        if refusal is None and not is_open and not is_own:
            offer = await self._offer(row.code)
            refusal = self._closed(offer)
        times = [(c.id, weaker(c.method, method), c.at) for c in own]
        self.found.touches += [
            Touch(
                touch_id=touch_id,
                method=by,
                at=at,
                code=row.code,
                campaign=row.campaign_slug,
                referrer_id=row.referrer_id,
                referral_id=row.id if is_open and refusal is None else None,
                is_presented=is_presented,
                confidence=CONFIDENCE[by],
                refusal=refusal,
            )
            for touch_id, by, at in times or [(row.id, method, row.invited_at)]
        ]

    def _refusal(self, row: ReferralRow) -> Refusal | None:
        at, terms = self.signup.occurred_at, terms_of(row)
        if row.stage is Stage.EXPIRED or at > row.invited_at + terms.signup_window:
            return Refusal.EXPIRED_TOKEN
        if at < row.invited_at - max(CLOCK_SKEW, terms.lateness_grace):
            return Refusal.EXISTING_PLAYER
        return None

    def _code(
        self, touch_id: UUID, method: Method, code: str | None, offer: Offer | None, *, at: datetime
    ) -> None:
        self.found.touches.append(
            Touch(
                touch_id=touch_id,
                method=method,
                at=at,
                code=code,
                campaign=offer.campaign if offer else None,
                referrer_id=offer.player_id if offer else None,
                is_presented=True,
                confidence=CONFIDENCE[method],
                refusal=self._closed(offer),
            )
        )

    def _closed(self, offer: Offer | None) -> Refusal | None:
        """A code, or a link that somebody else used up, invites again while the offer runs."""
        if offer is None:
            return Refusal.UNKNOWN_CODE
        at = self.signup.occurred_at
        if offer.schedule.is_open(at):
            return None
        return Refusal.CAMPAIGN_PAUSED if offer.schedule.is_paused(at) else Refusal.CAMPAIGN_ENDED

    async def _offer(self, code: str) -> Offer | None:
        offer = await offers.find(self.session, code)
        if offer is not None:
            self.found.policies[offer.campaign] = offer.policy
        return offer

    def _refuse(self, touch_id: UUID, method: Method, refusal: Refusal) -> None:
        """What the signup brought along leads nowhere."""
        at = self.signup.occurred_at
        self.found.touches.append(
            Touch(touch_id=touch_id, method=method, at=at, is_presented=True, refusal=refusal)
        )


def _once(found: GatheredTouches) -> list[Touch]:
    """What was presented in two ways, as in query and cookie, counts in the better one."""

    def worth(touch: Touch) -> tuple[int, int]:
        policy = found.policies.get(touch.campaign or "", DEFAULT_POLICY)
        rank = policy.rank_of(touch.method)
        place = len(policy.order) if rank is None else rank
        return place, RELIABILITY_RANK[touch.method]

    ordered = sorted(found.touches, key=worth, reverse=True)
    return list({touch.touch_id: touch for touch in ordered}.values())


_REFUSAL_OF_TOKEN: Final = {
    Outcome.EXPIRED: Refusal.EXPIRED_TOKEN,
    Outcome.FORGED: Refusal.FORGED_TOKEN,
    Outcome.VALID: Refusal.FORGED_TOKEN,
}


def _typed_code_touch(
    signup: Signup, touch_id: UUID, code: str | None, offer: Offer | None, refusal: Refusal | None
) -> NewTouch:
    return NewTouch(
        id=touch_id,
        method=Method.TYPED_CODE,
        at=signup.occurred_at,
        code=code,
        campaign_slug=offer.campaign if offer else None,
        player_id=signup.player_id,
        platform=signup.platform[:16],
        ip=signup.ip,
        user_agent=signup.user_agent,
        device_id=signup.device_id,
        evidence={"signup": signup.event_id},
        refusal=refusal,
    )
