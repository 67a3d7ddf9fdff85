"""What a simulated person does on the way to an account: the verbs of the paths."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from sandbox.evaluation.clock import Lane
from sandbox.evaluation.door import Answer, Door
from sandbox.evaluation.links import Links
from sandbox.evaluation.sportsbook import Sportsbook
from sandbox.evaluation.world import Device, Person

ANSWERING_SHARE: Final = 0.8
"""The share of people who answer the question whether somebody invited them; they do not lie."""
LINK: Final = "https://refer.example/r/"


@dataclass(frozen=True, slots=True)
class FirstOpenAnswer:
    """What the service told an app at its first open; all None where it found nothing."""

    token: str | None
    code: str | None
    ask: str | None


@dataclass(slots=True, kw_only=True)
class Journey:
    """One person's story at one place; `asked` and so on become known on the way."""

    person: Person
    lane: Lane
    draw: Random
    door: Door
    sportsbook: Sportsbook
    friends: int
    """How many players share their codes."""
    links: Links
    """What was followed behind the addresses of this place."""
    asked: bool = False
    asked_in_doubt: bool = False
    """Although that code was not followed behind the address lately, or others were, too."""
    events: int = 0
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each browser keeps, by its user agent."""

    @property
    def now(self) -> datetime:
        return self.lane.now

    def happens(self, share: float) -> bool:
        return self.draw.random() < share

    async def minutes(self, least: float, most: float) -> None:
        await self.lane.until(self.now + timedelta(minutes=self.draw.uniform(least, most)))

    async def hours(self, least: float, most: float) -> None:
        await self.minutes(60 * least, 60 * most)

    async def days(self, least: float, most: float) -> None:
        await self.hours(24 * least, 24 * most)

    async def friend(self, campaign: str, *, besides: str | None = None) -> str:
        """The code of some friend who invites this person."""
        while True:
            friend_id = f"friend-{self.draw.randrange(self.friends)}"
            code = await self.sportsbook.code(friend_id, campaign, at=self.now)
            if code != besides:
                return code

    async def taps(
        self,
        code: str,
        device: Device,
        *,
        agent: str | None = None,
        ip: str | None = None,
        **query: str,
    ) -> Answer:
        """Follow a link in the browser that opens by itself, from the person's own address."""
        browser = agent or device.agent
        kept = self.cookies.setdefault(browser, {})
        headers = {
            "user-agent": browser,
            "accept-language": f"{device.locale},{device.locale[:2]};q=0.9",
            "cookie": "; ".join(f"{name}={value}" for name, value in kept.items()),
        }
        added = "".join(f"?{name}={value}" for name, value in query.items())
        path = f"/r/{code}{added}"
        address = ip or self.person.ip
        page = await self.door.get(path, at=self.now, ip=address, headers=headers)
        kept.update(page.cookies)
        if kept:
            # Whoever is recognised again was invited; a crawler is not.
            self.links.followed(code, by=self.person.player_id, at=self.now, ip=address)
        return page

    async def opens_app(self, **found: object) -> FirstOpenAnswer:
        """The first open after an install, with what the platform gives any app."""
        phone = self.person.phone
        looks = {
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
        known = looks | found
        told = await self.sportsbook.resolve(known, at=self.now)
        if told["ask"] is not None:
            self.asked = True
            sure = self.links.is_only_candidate(told["code"], at=self.now, ip=str(known["ip"]))
            self.asked_in_doubt = self.asked_in_doubt or not sure
        return FirstOpenAnswer(told["referral_token"], told["code"], told["ask"])

    async def answers(self, opened: FirstOpenAnswer, invited_by: str | None) -> None:
        """Say truthfully whether that code invited them, if they were asked; or look away."""
        if opened.ask is None or opened.token is None or not self.happens(ANSWERING_SHARE):
            return
        await self.minutes(0.1, 2)
        confirmed = opened.code == invited_by
        await self.sportsbook.confirm(opened.token, confirmed=confirmed, at=self.now)
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
        """Open an account with what the page or the app has kept; `at` is earlier than heard."""
        self.links.signed_up(self.person.player_id)
        player_id = player_id or self.person.player_id
        await self.sportsbook.signed_up(
            self._event_id("signup"),
            player_id,
            at=at or self.now,
            heard_at=self.now,
            platform=device.platform,
            device_id=device.id,
            ip=self.person.ip,
            email=f"{player_id}@mail.example",
            referral_token=token,
            code=code,
            cookie_token=cookie,
        )

    async def claims(self, code: str) -> Answer:
        """Type a code after the signup."""
        answer = await self.sportsbook.claim(self.person.player_id, code, at=self.now)
        await self.sportsbook.credit(self.person.player_id, at=self.now)
        return answer

    async def deposits(self) -> None:
        """A deposit that earns the reward, if anybody brought this player."""
        event_id, player_id = self._event_id("deposit"), self.person.player_id
        await self.sportsbook.deposited(event_id, player_id, minor=2000, at=self.now)

    def _event_id(self, kind: str) -> str:
        self.events += 1
        return f"{kind}-{self.events}-{self.person.player_id}"
