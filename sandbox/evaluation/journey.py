"""The acts of a simulated person, in the third person: the vocabulary of the scenarios."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from sandbox.evaluation.clock import SimulatedClock
from sandbox.evaluation.followed_links import FollowedLinks
from sandbox.evaluation.in_process_client import InProcessClient, Response
from sandbox.evaluation.sportsbook import Sportsbook
from sandbox.evaluation.world import Device, Person
from sandbox.sportsbook.requests import mailbox_of

ANSWERING_SHARE: Final = 0.8
"""Share of people who answer the question whether somebody invited them; they do not lie."""
LINK_PREFIX: Final = "https://refer.example/r/"


@dataclass(frozen=True, slots=True)
class FirstOpenAnswer:
    """The service's answer to an app's first open; all fields are None where it found nothing."""

    token: str | None
    code: str | None
    ask: str | None


@dataclass(slots=True, kw_only=True)
class Journey:
    """One person's journey in one network; the fields with defaults change on the way."""

    person: Person
    clock: SimulatedClock
    rng: Random
    client: InProcessClient
    sportsbook: Sportsbook
    friend_count: int
    """Number of players who share their codes."""
    followed_links: FollowedLinks
    """The record of this network, which the journeys in it share."""
    was_asked: bool = False
    was_asked_in_doubt: bool = False
    """True if the code was not followed at the address recently, or others were as well."""
    event_count: int = 0
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    """The cookies of each browser, by its user agent."""

    @property
    def now(self) -> datetime:
        return self.clock.now

    def happens(self, share: float) -> bool:
        return self.rng.random() < share

    async def waits_minutes(self, least: float, most: float) -> None:
        await self.clock.wait_until(self.now + timedelta(minutes=self.rng.uniform(least, most)))

    async def waits_hours(self, least: float, most: float) -> None:
        await self.waits_minutes(60 * least, 60 * most)

    async def waits_days(self, least: float, most: float) -> None:
        await self.waits_hours(24 * least, 24 * most)

    async def code_of_a_friend(self, campaign: str, *, other_than: str | None = None) -> str:
        """Return the code of a friend, drawn at random, who invites this person."""
        while True:
            friend_id = f"friend-{self.rng.randrange(self.friend_count)}"
            code = await self.sportsbook.code_of(friend_id, campaign, at=self.now)
            if code != other_than:
                return code

    async def follows_link(
        self,
        code: str,
        device: Device,
        *,
        user_agent: str | None = None,
        ip: str | None = None,
        **query: str,
    ) -> Response:
        """Follow a link, by default in the device's browser and from the person's address."""
        browser = user_agent or device.user_agent
        kept = self.cookies.setdefault(browser, {})
        headers = {
            "user-agent": browser,
            "accept-language": f"{device.locale},{device.locale[:2]};q=0.9",
            "cookie": "; ".join(f"{name}={value}" for name, value in kept.items()),
        }
        added = "".join(f"?{name}={value}" for name, value in query.items())
        path = f"/r/{code}{added}"
        address = ip or self.person.ip
        page = await self.client.get(path, at=self.now, ip=address, headers=headers)
        kept.update(page.cookies)
        if kept:
            # The service sets a cookie for people only, not for crawlers.
            self.followed_links.record_click(
                code, player_id=self.person.player_id, at=self.now, ip=address
            )
        return page

    async def opens_app(self, **found: object) -> FirstOpenAnswer:
        """Report the first open after an install, with what the platform gives any app."""
        phone = self.person.phone
        device_traits = {
            "platform": phone.platform,
            "device_id": phone.id,
            "device_model": phone.model,
            "os": phone.platform,
            "os_version": phone.os_version,
            "locale": phone.locale,
            "time_zone": phone.time_zone,
            "screen": phone.screen,
            "ip": self.person.ip,
        }
        known = device_traits | found
        answer = await self.sportsbook.resolve(known, at=self.now)
        if answer["ask"] is not None:
            self.was_asked = True
            is_sure = self.followed_links.is_only_candidate(
                answer["code"], at=self.now, ip=str(known["ip"])
            )
            self.was_asked_in_doubt = self.was_asked_in_doubt or not is_sure
        return FirstOpenAnswer(answer["referral_token"], answer["code"], answer["ask"])

    async def answers(self, first_open: FirstOpenAnswer, invited_by: str | None) -> None:
        """Answer truthfully whether the code's owner invited them, if asked; some never answer."""
        if first_open.ask is None or first_open.token is None or not self.happens(ANSWERING_SHARE):
            return
        await self.waits_minutes(0.1, 2)
        confirmed = first_open.code == invited_by
        await self.sportsbook.confirm(first_open.token, confirmed=confirmed, at=self.now)
        await self.sportsbook.credit(self.person.player_id, at=self.now)

    async def signs_up(
        self,
        device: Device,
        *,
        token: str | None = None,
        code: str | None = None,
        cookie: str | None = None,
        player_id: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Open an account with what the page or app has kept; `at` may be before it is reported."""
        self.followed_links.record_signup(self.person.player_id)
        player_id = player_id or self.person.player_id
        await self.sportsbook.report_signup(
            self._event_id("signup"),
            player_id,
            at=at or self.now,
            reported_at=self.now,
            platform=device.platform,
            device_id=device.id,
            ip=self.person.ip,
            email=mailbox_of(player_id),
            referral_token=token,
            code=code,
            cookie_token=cookie,
        )

    async def claims(self, code: str) -> Response:
        """Claim a code after the signup."""
        answer = await self.sportsbook.claim(self.person.player_id, code, at=self.now)
        await self.sportsbook.credit(self.person.player_id, at=self.now)
        return answer

    async def deposits(self) -> None:
        """Make a deposit that earns the reward, if this player was referred."""
        event_id, player_id = self._event_id("deposit"), self.person.player_id
        await self.sportsbook.report_deposit(event_id, player_id, minor=2000, at=self.now)

    def _event_id(self, kind: str) -> str:
        self.event_count += 1
        return f"{kind}-{self.event_count}-{self.person.player_id}"
