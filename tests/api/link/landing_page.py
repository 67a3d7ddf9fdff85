"""A reader of the landing page, as a browser or a link preview."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI
from httpx import Response
from sqlalchemy import select

from db.engine import Database
from db.tables import TouchRow
from tests.fixtures.api_client import browser

APP_STORE = "https://apps.apple.com/app/id0000000000"
REFEREE_REWARD = {"referee_reward": {"minor": 550, "currency": "USD"}}


@dataclass(slots=True)
class ParsedPage:
    """Content of a page: its text, the targets of its links, its Open Graph properties."""

    text: str = ""
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    copy_texts: list[str] = field(default_factory=list)
    language: str = ""
    svg_count: int = 0

    def link_to(self, host: str) -> str:
        (found,) = {link for link in self.links if urlsplit(link).hostname == host}
        return found


def parse_page(html: str) -> ParsedPage:
    reader = _PageParser()
    reader.feed(html)
    return reader.page


def query_parameter(url: str, name: str) -> str:
    (value,) = parse_qs(urlsplit(url).query)[name]
    return value


async def follow_link(app: FastAPI, path: str, agent: str, **headers: str) -> Response:
    async with browser(app, agent, **headers) as visitor:
        return await visitor.get(path)


async def touch_methods(database: Database, code: str) -> list[str]:
    async with database.reading() as session:
        query = select(TouchRow.method).where(TouchRow.code == code).order_by(TouchRow.at)
        return list(await session.scalars(query))


class _PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = ParsedPage()
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self._silent = tag in {"script", "style"}
        self.page.svg_count += tag == "svg"
        if tag == "html":
            self.page.language = known["lang"]
        if tag == "a":
            self.page.links.append(known["href"])
        if tag == "meta" and ("property" in known or "name" in known):
            self.page.meta[known.get("property") or known["name"]] = known.get("content", "")
        if "data-copies" in known:
            self.page.copy_texts.append(known["data-copies"])
        loading = [known[name] for name in ("src", "srcset", "action", "data") if name in known]
        self.page.loaded += loading + ([known["href"]] if tag == "link" else [])

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.page.text += f" {' '.join(data.split())}"
