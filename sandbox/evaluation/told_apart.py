"""Programs and people told apart by user agent: a published list of crawlers, and real browsers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from crawleruseragents import (  # type: ignore[import-untyped] # it has no types
    CRAWLER_USER_AGENTS_DATA,
)
from starlette.requests import Request

from api.link.user_agents import Requester, requester_of

BROWSERS_FILE: Final = Path(__file__).with_name("browsers.txt")
"""User agents of browsers, and of those inside apps, a line each."""
MAX_CRAWLERS_TAKEN_FOR_PEOPLE: Final = 0.01
"""Share of the published list; some of its entries are people's in-app browsers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldApart:
    """Counts of user agents, and those that were taken for the other kind."""

    crawlers: int
    crawlers_taken_for_people: Sequence[str]
    browsers: int
    browsers_taken_for_programs: Sequence[str]

    @property
    def share_taken_for_people(self) -> float:
        return len(self.crawlers_taken_for_people) / self.crawlers

    def violations(self) -> list[str]:
        broken = [f"taken for a program: {agent}" for agent in self.browsers_taken_for_programs]
        if self.share_taken_for_people > MAX_CRAWLERS_TAKEN_FOR_PEOPLE:
            broken.append(f"{self.share_taken_for_people:.1%} of the crawlers taken for people")
        return broken

    def sentence(self) -> str:
        return (
            f"{len(self.crawlers_taken_for_people)} of {self.crawlers} published crawlers"
            f" ({self.share_taken_for_people:.2%}) taken for people,"
            f" {len(self.browsers_taken_for_programs)} of {self.browsers} browsers for programs"
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def tell_apart() -> ToldApart:
    crawlers = [agent for entry in CRAWLER_USER_AGENTS_DATA for agent in entry["instances"]]
    browsers = BROWSERS_FILE.read_text().splitlines()
    return ToldApart(
        crawlers=len(crawlers),
        crawlers_taken_for_people=[agent for agent in crawlers if _is_person(agent)],
        browsers=len(browsers),
        browsers_taken_for_programs=[agent for agent in browsers if not _is_person(agent)],
    )


def _is_person(agent: str) -> bool:
    headers = [(b"user-agent", agent.encode())]
    request = Request({"type": "http", "method": "GET", "headers": headers})
    return requester_of(request) is Requester.PERSON
