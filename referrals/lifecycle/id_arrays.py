"""Collections of any size as one parameter each: a statement takes 32,767 parameters at most."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, cast, func, select


def each_of(ids: Collection[UUID]) -> Select[tuple[UUID]]:
    """Return a query of ids, which Postgres hashes where it is asked whether one is among them."""
    return select(func.unnest(cast(list(ids), ARRAY(Uuid))))
