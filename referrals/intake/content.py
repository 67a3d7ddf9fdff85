"""Content of a fact, by which an event that comes again is told from another one."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from domain.field_shapes import SHAPED_FIELDS, has_shape, without_extensions
from domain.privacy import ERASED, OTHER, PERSONAL_KEYS
from referrals.intake.normalising import EARLIER

_NOTHING: Final[frozenset[str]] = frozenset()


class Content(NamedTuple):
    """The statement of a fact, the same in whatever spelling its personal values are given."""

    fingerprint: str
    body: Mapping[str, Any]
    matching: Mapping[str, Any] | None

    def is_same_as(self, other: "Content | None") -> bool:
        if other is None:
            return False
        if self.fingerprint == other.fingerprint != ERASED:
            return True
        mine, theirs = self._comparable(other)
        return mine == theirs

    def differing_fields(self, other: "Content") -> frozenset[str]:
        """Return the fields that differ in more than their spelling or the key of their hash."""
        mine, theirs = self._comparable(other)
        return frozenset(
            name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name)
        )

    def _comparable(self, other: "Content") -> tuple[dict[str, Any], dict[str, Any]]:
        renamed = {**_renamed(other), **_renamed(self)}
        # What was erased of one of them is not known any more, and so tells neither from the other.
        is_erased = ERASED in {self.fingerprint, other.fingerprint}
        left_out = frozenset(PERSONAL_KEYS) if is_erased else _NOTHING
        return (
            self._in_one_spelling(renamed, left_out),
            other._in_one_spelling(renamed, left_out),  # noqa: SLF001 - its own class
        )

    def _in_one_spelling(
        self, renamed: Mapping[str, str], left_out: frozenset[str]
    ) -> dict[str, Any]:
        """Return the body with hashes of values, not of spellings, under the newest key."""
        matching = self.matching or {}
        body = dict(self.body)
        if isinstance(locale := body.get("locale"), str):
            body["locale"] = without_extensions(locale)
        return {
            field: _newest(matching.get(field, value), renamed)
            for field, value in body.items()
            if field not in left_out and not _is_replaced(field, value)
        }


def _renamed(content: Content) -> dict[str, str]:
    """Return the newest hash of each hash of an earlier key, of all fields."""
    kept: Mapping[str, Mapping[str, str]] = (content.matching or {}).get(EARLIER) or {}
    return {old: new for hashes in kept.values() for old, new in hashes.items()}


def _newest(value: object, renamed: Mapping[str, str]) -> object:
    return renamed.get(value, value) if isinstance(value, str) else value


def _is_replaced(field: str, value: object) -> bool:
    """Return whether a value is replaced at the door, where earlier releases kept it as it was."""
    if field not in SHAPED_FIELDS or not isinstance(value, str):
        return False
    return value == OTHER or not has_shape(field, value)
