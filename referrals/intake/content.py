"""Content of a fact, by which an event that comes again is told from another one."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.field_shapes import SHAPED_FIELDS, has_shape
from domain.privacy import ERASED, OTHER


class Content(NamedTuple):
    """The statement of a fact, the same in whatever spelling its personal values are given."""

    fingerprint: str
    body: Mapping[str, Any]
    matching: Mapping[str, Any] | None

    def is_same_as(self, other: "Content | None") -> bool:
        if other is None:
            return False
        if ERASED in {self.fingerprint, other.fingerprint}:
            return True  # what it said is no longer known; the id is
        return self.fingerprint == other.fingerprint or self._in_one_spelling() == (
            other._in_one_spelling()  # noqa: SLF001 - of the same class
        )

    def _in_one_spelling(self) -> dict[str, Any]:
        matching = self.matching or {}
        return {
            field: matching.get(field, value)
            for field, value in self.body.items()
            if not _is_replaced(field, value)
        }


def _is_replaced(field: str, value: object) -> bool:
    """Return whether a value is replaced at the door, where earlier releases kept it as it was."""
    if field not in SHAPED_FIELDS or not isinstance(value, str):
        return False
    return value == OTHER or not has_shape(field, value)
