"""Bodies of /v1/lists."""

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import Field

from api.http.errors import invalid_field
from api.v1.schemas.fields import PlannedTime, Reason, RequestBody, ResponseBody, Text320
from domain.fraud.listed_values import keys_of, stored_value
from domain.fraud.lists import ListedKind, ListName
from domain.privacy import HASH_SHAPE, Hasher
from referrals.fraud.lists import NewEntry
from referrals.intake.normalising import is_international, matching_text

NATIONAL: Final = "Write it with + and the country's number, such as +1 201 555 0147"


class ListEntryIn(RequestBody):
    """A value to be put on a list."""

    kind: ListedKind
    value: Text320 = Field(
        description="As an event would report it. Personal values are stored as keyed hashes alone."
        " A phone number begins with + and its country's number."
        " A network is an address or a CIDR block, at most an IPv4 /12 or an IPv6 /52"
    )
    reason: Reason
    expires_at: PlannedTime | None = Field(default=None, description="Null: until it is deleted")

    def to_entry(self, list_name: ListName, hasher: Hasher, *, now: datetime) -> NewEntry:
        """Return the entry with its value hashed, or raise 422."""
        if self.expires_at is not None and self.expires_at <= now:
            raise invalid_field("expires_at", "Must be later than now")
        value, *earlier = values_of(self.kind, self.value, hasher)
        hashed = zip(hasher.enabled, (value, *earlier), strict=True)
        return NewEntry(
            list_name=list_name,
            kind=self.kind,
            value=value,
            earlier_values=tuple(earlier),
            keys=tuple(key for one, its in hashed for key in keys_of(self.kind, its, one)),
            expires_at=self.expires_at,
        )


class NewListEntryOut(ResponseBody):
    """The entry of a listed value."""

    entry_id: UUID


class ListEntryOut(ResponseBody):
    """A listed value; an expired one is shown until it is deleted."""

    entry_id: UUID
    list_name: ListName = Field(serialization_alias="list")
    kind: ListedKind
    value: str = Field(description="The keyed hash of a personal value")
    reason: str
    added_by: str
    added_at: datetime
    expires_at: datetime | None
    hits: int = Field(description="Referrals in which the entry was hit")
    last_hit_at: datetime | None = Field(description="When the latest of them was first hit")


def values_of(kind: ListedKind, text: str, hasher: Hasher) -> list[str]:
    """Return a value as its entry stores it under each enabled key, newest first, or raise 422.

    Events report national numbers beside a jurisdiction, and an entry has none.
    """
    hashed = HASH_SHAPE.fullmatch(text) is not None
    if kind is ListedKind.PHONE and not hashed and not is_international(text):
        raise invalid_field("value", NATIONAL)
    try:
        return [stored_value(kind, matching_text(kind, text), each) for each in hasher.enabled]
    except ValueError as fault:
        raise invalid_field("value", str(fault)) from fault
