"""Sources of events: whose event ids are whose.

An event is known by its kind, its id and its source. The stored id names the source, unless it is
the default one, with a sign that no reporter's id has: so no two sources meet, and what keeps an
event by its kind and id needs no other key.
"""

import re
from typing import Final

DEFAULT_SOURCE: Final = "default"
SEPARATOR: Final = "~"
"""Between a source and an id in a stored id; neither of them has it."""
SOURCE_PATTERN: Final = re.compile(r"[a-z][a-z0-9-]{0,14}")
"""At most 15 characters, so that a stored id has at most 80."""


def stored_event_id(source: str, event_id: str) -> str:
    return event_id if source == DEFAULT_SOURCE else f"{source}{SEPARATOR}{event_id}"


def shown_event_id(stored: str) -> str:
    """Return the id as the reporter gave it."""
    return stored.rpartition(SEPARATOR)[2]


def source_of(stored: str) -> str:
    return stored.rpartition(SEPARATOR)[0] or DEFAULT_SOURCE
