"""Derived ids: the same parts give the same id, and no two lists of parts meet."""

from uuid import UUID, uuid5


def derived_id(namespace: UUID, *parts: str) -> UUID:
    """Return the id of some parts, which may be free text.

    Each part stands behind its length. A `/` is in no id of a caller, so that this also never
    meets an id that was derived from such an id alone.
    """
    return uuid5(namespace, "".join(f"{len(part)}/{part}" for part in parts))
