"""Crawlers, link previews and monitors, told from browsers by two kept lists of user agents."""

import re
from functools import lru_cache
from typing import Final

import crawleruseragents  # type: ignore[import-untyped] # it has no types
from crawlerdetect import CrawlerDetect  # type: ignore[import-untyped] # it has no types

USER_AGENT_CACHE_SIZE: Final = 4096
"""User agents whose parsing is cached; there are far fewer of them than visitors."""
CRAWLER_DETECTOR: Final = CrawlerDetect()
"""One for the process, because it compiles some thousand patterns."""
BROWSER_PREFIX: Final = re.compile(
    r"Mozilla/5\.0 \((?:iPhone|iPad|iPod|Linux|Android|Macintosh|Windows|X11|Mobile)"
)
BROWSER_HEAD: Final = re.compile(
    r"(?:Mozilla|Opera|UCWEB)/\d|BlackBerry|Nokia|SAMSUNG-|LG-|SonyEricsson", re.IGNORECASE
)
"""Beginnings of a browser's user agent; others are those of programs, in a kept list or not."""
PHONE_COMMENT: Final = re.compile(
    r"(?<=^Mozilla/5\.0 )\((?:iPhone|iPad|iPod|Linux|Android)(?:[^()]|\([^()]*\))*\)"
)
"""A phone's model and build (Cubot P30, M_bot_tab, Fever_Plus), which a crawler may copy."""
COPIED_COMMENT: Final = re.compile(r"compatible|https?:|@|bot[/-]\w|crawler|spider/", re.IGNORECASE)
"""Marks of a comment by which a crawler introduces itself."""
IN_APP_BROWSER_NAMES: Final = re.compile(
    r"[ ,](?:whatsapp[\w-]*|viber|slack(?:_ssb)?|botim|outlook-\w+|yandex\.mail|ru\.yandex\.\w+"
    r"|com\.yandex\.\w+|BroPP|feedly|oddschecker|\w*reader\w*|blackboard|freespoke|1password|notion"
    r"|bluesky|telegram[\w-]*|pinterest|snapchat|tumblr|baidu\w+|coccoc\w*|corom|fluid)/[^\s,]+"
    r"|[ ,]Sogou(?:MSE|MobileBrowser|Search)[\w./]*"
    r"|\bMetaIAB \w+|(?<=[\d.])coccoc\b|\bMetaSr \d+(?:\.\d+)?",
    re.IGNORECASE,
)
"""Names that in-app and smaller browsers add to an engine's; on their own they belong to link
previews."""
UNLISTED_CRAWLERS: Final = re.compile(
    # A contact address; "compatible" without being an old browser; HTTP clients inside apps, which
    # make link previews for instance.
    r"\+(?:https?:|mailto:)|\(compatible; (?!MSIE|Konqueror)|\bCFNetwork/|^Dalvik/"
    r"|^(?:trello|tumblr)/|GoogleImageProxy|PowerShell/|\bjsdom/|\bCypress/|ms-safelinks|Mimecast"
    r"|Google-PageRenderer|^Mozilla/\d\.\d\s*(?:\((?:compatible)?;?\s*\))?\Z",
    re.IGNORECASE,
)
"""Crawlers that neither list has."""
LONG_WORD_HEADS: Final = re.compile(r"[\w-]+(?=[\w-]{48})")
"""Long words but their last 48 characters: a list's time is quadratic in a word's length."""


@lru_cache(USER_AGENT_CACHE_SIZE)
def is_crawler(agent: str) -> bool:
    """Detect a program that reads pages, also one that calls itself a browser beside its name."""
    if not BROWSER_HEAD.match(agent):
        return True
    agent = LONG_WORD_HEADS.sub("", _without_people_s_names(agent))
    return (
        UNLISTED_CRAWLERS.search(agent) is not None
        or crawleruseragents.is_crawler(agent)
        or bool(CRAWLER_DETECTOR.is_crawler(agent))
    )


def _without_people_s_names(agent: str) -> str:
    """Drop what people's devices and apps are called, as some are called like crawlers."""
    if not BROWSER_PREFIX.match(agent):
        return agent
    comment = PHONE_COMMENT.search(agent)
    if comment and not COPIED_COMMENT.search(comment[0]):
        agent = PHONE_COMMENT.sub("(Linux)", agent, count=1)
    return IN_APP_BROWSER_NAMES.sub("", agent)
