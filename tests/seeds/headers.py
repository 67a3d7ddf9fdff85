"""Names of headers: all that the code may read, and those that proxies and browsers send.

Whatever literal of the code has the shape of a header's name is taken for one, so that a header
that is read later is among them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests import ROOT

PER_REQUEST: Final = 20
"""Headers of one request; the api refuses requests with very many."""
READERS: Final = ("api", "runtime", "referrals", "integrations")
HYPHENATED: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,19}(-[A-Za-z0-9]{1,20}){1,5}")
WORDS: Final = frozenset(
    {
        "accept",
        "authorization",
        "baggage",
        "cookie",
        "date",
        "dnt",
        "forwarded",
        "from",
        "origin",
        "purpose",
        "referer",
        "server",
        "te",
        "traceparent",
        "tracestate",
        "via",
        "warning",
    }
)
"""Names of one word, of which code has very many that are no headers."""
SENT: Final = frozenset((ROOT / "tests/seeds/sent_headers.txt").read_text().split())
"""Headers that proxies and browsers send."""
KEPT: Final = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers without which, or with another value, no request arrives; two have tests of their own."""


def header_names() -> list[str]:
    """Return every name in small letters, in order."""
    read = {name for folder in READERS for name in _literals(ROOT / folder)}
    return sorted((read | SENT) - KEPT)


def _literals(folder: Path) -> Iterator[str]:
    for module in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            value = node.value if isinstance(node, ast.Constant) else None
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            if isinstance(text, str) and _is_name(text.strip().lower()):
                yield text.strip().lower()


def _is_name(text: str) -> bool:
    return text in WORDS or HYPHENATED.fullmatch(text) is not None
