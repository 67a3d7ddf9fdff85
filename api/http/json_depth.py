"""The place in a JSON text that nests too deep, found without parsing it."""

import re
from typing import Final

MAX_SHOWN_CHARS: Final = 64
"""Length to which a key is truncated in a path."""
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}\[\],:]', re.DOTALL)
"""A string, ended or not, or a mark; each is found in time linear in its length."""


def path_at_depth(text: str, depth: int) -> str | None:
    """Return the path of the first array or object inside `depth` others, if there is one."""
    places: list[str | int] = []
    latest = ""
    for token in _TOKEN.findall(text):
        if token in "{[":
            if len(places) >= depth:
                return _path(places)
            places.append(0 if token == "[" else "")
        elif token in "}]":
            del places[-1:]
        elif token == ":" and places:
            places[-1] = latest
        elif token == "," and places:
            last = places[-1]
            places[-1] = last + 1 if isinstance(last, int) else last
        else:
            latest = token[1:-1][:MAX_SHOWN_CHARS]
    return None


def _path(places: list[str | int]) -> str:
    shown = "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in places)
    return shown.removeprefix(".")
