"""Lists that fraud rules look at: values to allow, to deny and to watch."""

import asyncio
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from api.http.authorisation import Caller, requires
from api.http.dependencies import Db, Hashes, Now
from api.http.errors import Problem, invalid_field
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import PageOut, PageQuery, page_out
from api.http.strict_json import StrictRoute
from api.v1.schemas.fields import Text320
from api.v1.schemas.lists import ListEntryIn, ListEntryOut, NewListEntryOut, values_of
from domain.fraud.lists import ListedKind, ListName
from domain.people import is_same_person
from referrals.fraud import list_views, lists
from referrals.fraud.lists import AddOutcome

router = APIRouter(prefix="/v1/lists", tags=["fraud"], route_class=StrictRoute)
Writer = Annotated[Caller, Depends(requires("rules:write"))]
CAN_READ: Final = Depends(requires("rules:write", "rules:publish", "reviews:decide"))
BY_API: Final = "through the API"
"""Reason in the audit of a deletion, which asks for none."""


@router.post(
    "/{list_name}",
    status_code=201,
    responses=problem_responses("already_listed", "own_entry", *BODY_PROBLEMS)
    | {200: {"model": NewListEntryOut, "description": "The entry in force"}},
)
async def add_list_entry(  # noqa: PLR0917 - FastAPI passes each by its name
    list_name: ListName,
    body: ListEntryIn,
    database: Db,
    hasher: Hashes,
    writer: Writer,
    now: Now,
    response: Response,
) -> NewListEntryOut:
    """Put a value on a list; every scoring from now on sees it.

    Deny blocks or holds for a review, watch asks for a review, allow silences soft rules alone: no
    hard link, no entry of the deny list, no eligibility. 200 with the same `entry_id` for a value
    that is listed with the same reason and end; 409 `already_listed` with another one; 403
    `own_entry` for the player whose name the caller has.
    """
    if body.kind is ListedKind.PLAYER:
        _refuse_own(body.value, writer)
    # A wide network has thousands of keys to hash.
    entry = await asyncio.to_thread(body.to_entry, list_name, hasher, now=now)
    async with database.transaction() as session:
        outcome, entry_id = await lists.add(session, entry, writer.actor(body.reason))
    if outcome is AddOutcome.LISTED_OTHERWISE:
        raise Problem("already_listed")
    if outcome is AddOutcome.SAME:
        response.status_code = 200
    return NewListEntryOut(entry_id=entry_id)


@router.get("/{list_name}", dependencies=[CAN_READ])
async def show_list(  # noqa: PLR0917 - FastAPI passes each by its name
    list_name: ListName,
    part: PageQuery,
    database: Db,
    hasher: Hashes,
    kind: Annotated[ListedKind | None, Query()] = None,
    value: Annotated[Text320 | None, Query(description="As it was listed; needs `kind`")] = None,
) -> PageOut[ListEntryOut]:
    """Return the entries of a list with their hits, newest first."""
    if value is not None and kind is None:
        raise invalid_field("kind", "Must be given with `value`")
    listed = values_of(kind, value, hasher) if kind is not None and value is not None else None
    async with database.reading() as session:
        page = await list_views.list_entries(session, list_name, part, kind=kind, values=listed)
    return page_out(ListEntryOut, page)


@router.delete(
    "/{list_name}/{entry_id}",
    status_code=204,
    responses=problem_responses("unknown_list_entry", "own_entry"),
)
async def delete_list_entry(
    list_name: ListName, entry_id: UUID, database: Db, writer: Writer
) -> None:
    """Take a value off a list; no scoring sees it from now on.

    What is held for it stays held until a person decides. 404 `unknown_list_entry`, 403
    `own_entry` for the player whose name the caller has.
    """
    async with database.transaction() as session:
        entry = await list_views.find_entry(session, entry_id)
        if entry is not None and entry.kind is ListedKind.PLAYER:
            _refuse_own(entry.value, writer)
        if not await lists.remove(session, list_name, entry_id, writer.actor(BY_API)):
            raise Problem("unknown_list_entry")


def _refuse_own(player_id: str, writer: Caller) -> None:
    """Raise 403 where a caller's name is that of the player."""
    if is_same_person(player_id, writer.actor(BY_API).name):
        raise Problem("own_entry")
