"""Gathering: every touch that may have brought a signup, each refused or not by its own facts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from db.engine import Session
from db.tables import ReferralRow, TouchRow
from domain.attribution.decision import Touch, policy_of_last_touch
from domain.attribution.policy import (
    CONFIDENCE_BY_METHOD,
    DEFAULT_POLICY,
    RELIABILITY_RANK,
    Method,
    Policy,
    Refusal,
    weaker_method,
)
from domain.codes import is_code, normalise_code
from domain.derived_ids import derived_id
from domain.intake.facts import CLOCK_SKEW, Signup
from domain.lifecycle.referral import Stage, token_expires_at
from referrals.attribution import match_answers, touches
from referrals.attribution.locks import lock_with_siblings
from referrals.attribution.several_campaigns import refusal_of_touch, with_priorities
from referrals.attribution.tokens import TokenReading, Tokens
from referrals.attribution.touches import NewTouch, record_touch
from referrals.campaigns import offers
from referrals.campaigns.offers import Offer
from referrals.lifecycle.reopening import is_reopenable
from referrals.lifecycle.stages import terms_of

_SIGNUP_TOUCHES: Final = UUID("6a5c9f0e-5f0b-5d5f-8a0b-2f0d8f6b7c11")
"""Namespace of the touches that signups bring themselves."""
_MAX_PLATFORM_CHARS: Final = 16
"""Width of a touch's `platform` column; longer texts are cut."""


@dataclass(slots=True)
class GatheredTouches:
    """The touches to decide between, and the policies of their campaigns by slug."""

    touches: list[Touch] = field(default_factory=list)
    policies: dict[str, Policy] = field(default_factory=dict)
    locked: dict[UUID, ReferralRow] = field(default_factory=dict)
    """The invitations that were locked to look at them."""

    @property
    def policy(self) -> Policy:
        return policy_of_last_touch(self.touches, self.policies)

    @property
    def open_referral_ids(self) -> set[UUID]:
        return {touch.referral_id for touch in self.touches if touch.referral_id is not None}


async def gather_touches(
    session: Session,
    signup: Signup,
    *,
    tokens: Tokens,
    now: datetime,
    signalled_to: UUID | None = None,
) -> GatheredTouches:
    """Gather what a signup presents, what its visitor followed, and what was claimed.

    An invitation that has EXPIRED counts like an open one if the signup was in time and it may
    still be re-opened at `now`. `signalled_to` is the referral whose workflow was signalled with
    the signup. Locks the referrals; records the code that the signup names, and that it presents a
    match.
    """
    gathering = _Gathering(session, signup, now)
    if signalled_to is not None:
        await gathering.gather_invitation(signalled_to, Method.SIGNAL)
    if signup.referral_token is not None:
        await gathering.gather_token(signup.referral_token, tokens)
    if signup.cookie_token is not None:
        await gathering.gather_token(signup.cookie_token, tokens, carried_by=Method.COOKIE)
    if signup.code is not None:
        await gathering.gather_typed_code(signup.code)
    await gathering.gather_claims()
    gathered = gathering.gathered
    gathered.touches = await with_priorities(session, _deduplicate(gathered))
    return gathered


def typed_code_touch_id(signup: Signup) -> UUID:
    return uuid5(_SIGNUP_TOUCHES, signup.event_id)


class _Gathering:
    def __init__(self, session: Session, signup: Signup, now: datetime) -> None:
        self.session = session
        self.signup = signup
        self.now = now
        self.gathered = GatheredTouches()
        self.claims: Sequence[TouchRow] | None = None

    async def gather_token(
        self, token: str, tokens: Tokens, *, carried_by: Method = Method.REFERRAL_TOKEN
    ) -> None:
        reading = tokens.read(token, at=self.signup.occurred_at)
        method = weaker_method(reading.method, carried_by)
        if reading.subject is None or reading.refusal is not None:
            refusal = reading.refusal or Refusal.FORGED_TOKEN
            self._add(
                self._refused_touch(derived_id(_SIGNUP_TOUCHES, "token", token), method, refusal)
            )
        elif reading.method is Method.PROBABILISTIC:
            await self._gather_match(reading)
        else:
            await self.gather_invitation(reading.subject, method)

    async def gather_invitation(self, referral_id: UUID, method: Method) -> None:
        self._add(*await self._touches_of_visitor(referral_id, method))

    async def gather_typed_code(self, typed: str) -> None:
        """Gather and record a code typed at the signup: a touch at that moment."""
        normalised = normalise_code(typed)  # the door has taken it out of a link
        code = normalised if is_code(normalised) else None
        offer = await self._load_offer(code) if code else None
        touch = await self._code_touch(
            typed_code_touch_id(self.signup),
            Method.TYPED_CODE,
            code,
            offer,
            at=self.signup.occurred_at,
        )
        self._add(touch)
        await record_touch(self.session, _typed_code_touch(self.signup, touch))

    async def gather_claims(self) -> None:
        """Gather codes typed after the signup or before it was recorded, and support's."""
        if self.claims is None:
            rows = await touches.load_for_signup(self.session, player_id=self.signup.player_id)
            self.claims = [row for row in rows if touches.is_claim(row)]
        for row in self.claims:
            offer = await self._load_offer(row.code) if row.code else None
            grace = offer.terms.lateness_grace if offer else timedelta()
            at = touches.claimed_at(row, grace=grace)
            self._add(await self._code_touch(row.id, row.method, row.code, offer, at=at))

    async def _gather_match(self, reading: TokenReading) -> None:
        """Gather a match by device and network, which counts once the person has confirmed it."""
        if reading.subject is None:
            raise ValueError("a valid token has a subject")
        await match_answers.lock_match(self.session, reading.subject)
        match, answer = await match_answers.load_match_and_answer(self.session, reading.subject)
        if match is None or match.referral_id is None:
            refusal = Refusal.UNKNOWN_REFERRAL
            self._add(self._refused_touch(reading.subject, Method.PROBABILISTIC, refusal))
            return
        of_visitor = await self._touches_of_visitor(match.referral_id, Method.PROBABILISTIC)
        grace = self.gathered.policies[match.campaign_slug or ""].claim_grace
        refused = await match_answers.refusal_of_match(
            self.session, self.signup, match, answer, grace=grace
        )
        # A yes is to one code; what else its visitor touched may be another person's.
        presented = (touch for touch in of_visitor if touch.is_presented)
        self._add(*(match_answers.touch_of_match(touch, match, refused) for touch in presented))
        if answer is None:
            await match_answers.record_presenter(self.session, self.signup, match)

    async def _touches_of_visitor(self, referral_id: UUID, method: Method) -> list[Touch]:
        """Return the touches of a presented invitation and of its visitor's other open ones."""
        locked = await lock_with_siblings(self.session, referral_id)
        self.gathered.policies |= locked.policies
        self.gathered.locked |= {row.id: row for row in locked.rows}
        row = locked.invitation
        if row is None:
            return [self._refused_touch(referral_id, method, Refusal.UNKNOWN_REFERRAL)]
        rows = await touches.load_for_signup(
            self.session,
            visitor=row.visitor,
            referral_id=row.id,
            player_id=self.signup.player_id,
        )
        self.claims = [touch_row for touch_row in rows if touches.is_claim(touch_row)]
        found: list[Touch] = []
        for invited in (row, *locked.siblings):
            own = [touch_row for touch_row in rows if touch_row.referral_id == invited.id]
            found += await self._touches_of_invitation(
                invited, own, method, is_presented=invited is row
            )
        return found

    async def _touches_of_invitation(
        self, row: ReferralRow, own: Sequence[TouchRow], method: Method, *, is_presented: bool
    ) -> list[Touch]:
        """Return an invitation's touches; one older than the table of touches is one itself."""
        refusal, is_open = self._refusal_of_invitation(row), _awaits_signup(row)
        # The player's own stays what it is, whatever became of its offer.
        is_own = row.referee_id == self.signup.player_id and row.stage is not Stage.LOST
        if refusal is None and not is_open and not is_own:
            offer = await self._load_offer(row.code)
            refusal = await refusal_of_touch(self.session, self.signup, offer)
        times = [(touch.id, weaker_method(touch.method, method), touch.at) for touch in own]
        return [
            Touch(
                touch_id=touch_id,
                method=by,
                at=at,
                code=row.code,
                campaign=row.campaign_slug,
                referrer_id=row.referrer_id,
                referral_id=row.id if is_open and refusal is None else None,
                is_presented=is_presented,
                confidence=CONFIDENCE_BY_METHOD[by],
                refusal=refusal,
            )
            for touch_id, by, at in times or [(row.id, method, row.invited_at)]
        ]

    def _refusal_of_invitation(self, row: ReferralRow) -> Refusal | None:
        at, terms = self.signup.occurred_at, terms_of(row)
        is_over = row.stage is Stage.EXPIRED and not is_reopenable(row, now=self.now)
        if is_over or at > token_expires_at(row.invited_at, terms):
            return Refusal.EXPIRED_TOKEN
        if at < row.invited_at - max(CLOCK_SKEW, terms.lateness_grace):
            return Refusal.EXISTING_PLAYER
        return None

    async def _code_touch(
        self, touch_id: UUID, method: Method, code: str | None, offer: Offer | None, *, at: datetime
    ) -> Touch:
        return Touch(
            touch_id=touch_id,
            method=method,
            at=at,
            code=code if offer else None,  # one that nobody has may be a name
            campaign=offer.campaign if offer else None,
            referrer_id=offer.player_id if offer else None,
            is_presented=True,
            confidence=CONFIDENCE_BY_METHOD[method],
            refusal=await refusal_of_touch(self.session, self.signup, offer, at=at),
        )

    def _refused_touch(self, touch_id: UUID, method: Method, refusal: Refusal) -> Touch:
        """Return the touch of a token that leads to no invitation."""
        at = self.signup.occurred_at
        return Touch(touch_id=touch_id, method=method, at=at, is_presented=True, refusal=refusal)

    async def _load_offer(self, code: str) -> Offer | None:
        offer = await offers.find(self.session, code)
        if offer is not None:
            self.gathered.policies[offer.campaign] = offer.policy
        return offer

    def _add(self, *found: Touch) -> None:
        self.gathered.touches += found


def _deduplicate(gathered: GatheredTouches) -> list[Touch]:
    """Return each touch once: presented in query and cookie, it counts in the better way."""

    def weakness(touch: Touch) -> tuple[int, int]:
        policy = gathered.policies.get(touch.campaign or "", DEFAULT_POLICY)
        return policy.rank_or_last(touch.method), RELIABILITY_RANK[touch.method]

    ordered = sorted(gathered.touches, key=weakness, reverse=True)
    return list({touch.touch_id: touch for touch in ordered}.values())


def _awaits_signup(row: ReferralRow) -> bool:
    """Return whether nobody has used an invitation; one that has EXPIRED may be re-opened."""
    return row.stage is Stage.INVITED or (row.stage is Stage.EXPIRED and row.referee_id is None)


def _typed_code_touch(signup: Signup, touch: Touch) -> NewTouch:
    return NewTouch(
        id=touch.touch_id,
        method=touch.method,
        at=touch.at,
        code=touch.code,
        campaign_slug=touch.campaign,
        player_id=signup.player_id,
        platform=signup.platform[:_MAX_PLATFORM_CHARS],
        ip=signup.ip,
        user_agent=signup.user_agent,
        device_id=signup.device_id,
        evidence={"signup": signup.event_id},
        refusal=touch.refusal,
    )
