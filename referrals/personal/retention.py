"""Retention: what is only kept for a time is let go, in batches; money's proof stays.

The rows are of tables whose rows are only ever inserted: functions of the database let go of them,
and of none that is younger than sixty days.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from db.engine import Database, Session
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.fraud.link_values import WRITTEN_KINDS

LINKS: Final = tuple(f"links_{kind}" for kind in WRITTEN_KINDS)
WHOLE_ROWS: Final = ("deliveries", "invitations", "outbox")
"""Kinds whose rows are proven by records of their own (decision 0062), not by what stays."""
KINDS: Final = (
    "clicks", "visitors", "facts", "sessions", "sign_in_links",
    "list_entries", "shadow_assessments", "signup_assessments", "case_deliveries",
    "cluster_merges", *LINKS, *WHOLE_ROWS,
)  # fmt: skip
KEPT_UNLESS_NAMED: Final = frozenset((*LINKS, *WHOLE_ROWS)) - {"links_ip", "links_network"}
"""Kinds that no general period lets go of: who came with a card two years ago is no new person, and
a release before 0.3 takes whole rows that went for rows that were deleted by hand."""
MIN_DAYS: Final = 60
"""Age in days below which the database keeps rows: an expired invitation may open for a month."""
MAX_DAYS: Final = 36_500
"""Age in days, a century, beyond which a database's times may not reach back."""
DEFAULT_DAYS: Final = 400
BATCH_ROWS: Final = 1000
"""Rows that one transaction lets go of."""
SLICE: Final = timedelta(days=1)
"""Rows of this much time are read at once of kinds most of whose old rows are kept: a batch of
theirs does not read what an earlier one has passed over."""
_OF_ENDED: Final = frozenset({"deliveries", "invitations"})
"""Kinds whose slices are of the ends of referrals, and whose rows are judged by the age itself."""
_OLDEST: Final = {
    "deliveries": text("""
        select min(until) from referrals
         where stage in ('SETTLED', 'EXPIRED', 'LOST', 'REJECTED', 'UNFUNDED', 'VOIDED', 'REVERSED')
    """),
    "invitations": text("""
        select min(r.until) from referrals r
         where r.stage = 'EXPIRED' and r.referee_id is null
           and not exists (select from let_go_invitations g where g.referral_id = r.id)
    """),
    "facts": text("select min(heard_at) from facts where let_go_at is null"),
    **{
        name: text(f"select min(last_seen_at) from identity_links where kind = '{kind}'")  # noqa: S608
        for name, kind in zip(LINKS, WRITTEN_KINDS, strict=True)
    },
}
_NO_SLICE: Final[Mapping[str, datetime | None]] = {}
STATEMENT_TIMEOUT_S: Final = 300
_LIMIT_TIME: Final = text(f"set local statement_timeout = '{STATEMENT_TIMEOUT_S}s'")


def periods_of(days: int, by_kind: Mapping[str, int | None]) -> dict[str, timedelta]:
    """Return the age at which each kind is let go of, without the kinds that are kept.

    `days` is the general age, `by_kind` those of single kinds in days, None to keep one. Raises
    ValueError for an unknown kind, and for an age below MIN_DAYS or above MAX_DAYS.
    """
    _check(by_kind)
    ages = [days, *(own for own in by_kind.values() if own is not None)]
    if min(ages) < MIN_DAYS:
        raise ValueError(f"Nothing is let go of before it is {MIN_DAYS} days old")
    if max(ages) > MAX_DAYS:
        raise ValueError(f"An age is at most {MAX_DAYS} days; null keeps a kind")
    general = {kind: days for kind in KINDS if kind not in KEPT_UNLESS_NAMED}
    asked: dict[str, int | None] = {**general, **by_kind}
    return {kind: timedelta(days=own) for kind in KINDS if (own := asked.get(kind)) is not None}


def _check(kinds: Iterable[str]) -> None:
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise ValueError(f"{unknown[0]} is not a kind; kinds are {', '.join(KINDS)}")


async def count_old(session: Session, kind: str, *, before: datetime) -> int:
    """Return how many rows of a kind are from before a time."""
    return await _call(session, kind, before=before, batch=0, is_dry=True)


async def let_go_of_all(database: Database, kind: str, actor: Actor, *, before: datetime) -> int:
    """Let go of every old row of a kind, a batch to a transaction; return their number."""
    total = 0
    async with database.transaction() as session:
        slices = await _slices(session, kind, before)
    # A batch of whole rows has other rows than its limit counts, or ends with its window.
    goes_on_at = 1 if kind in WHOLE_ROWS else BATCH_ROWS
    for since, end in slices:
        until, upto = (before, end) if kind in _OF_ENDED else (end, None)
        rows = goes_on_at
        while rows >= goes_on_at:
            async with database.transaction() as session:
                rows = await let_go(session, kind, actor, before=until, since=since, upto=upto)
            total += rows
    return total


async def _slices(
    session: Session, kind: str, before: datetime
) -> list[tuple[datetime | None, datetime]]:
    """Return the times to look at, one after the other."""
    if kind not in _OLDEST:
        return [(None, before)]
    await session.execute(_LIMIT_TIME)
    since: datetime | None = await session.scalar(_OLDEST[kind])
    slices: list[tuple[datetime | None, datetime]] = []
    while since is not None and since < before:
        until = min(since + SLICE, before)
        slices.append((since, until))
        since = until
    return slices


async def let_go(
    session: Session,
    kind: str,
    actor: Actor,
    *,
    before: datetime,
    since: datetime | None = None,
    upto: datetime | None = None,
    limit: int = BATCH_ROWS,
) -> int:
    """Let go of up to `limit` rows, or of the deliveries of as many referrals; return their number.

    Only kinds of slices take `since`, and those of ended referrals `upto`.
    """
    slice_ = {"since": since, "upto": upto}
    rows = await _call(session, kind, before=before, batch=limit, is_dry=False, slice_=slice_)
    if rows:
        details = {"before": before.isoformat(), "rows": rows}
        subject = f"retention:{kind}"
        await audit.write(
            session, actor, action="retention.let_go", subject=subject, details=details
        )
    return rows


async def _call(
    session: Session,
    kind: str,
    *,
    before: datetime,
    batch: int,
    is_dry: bool,
    slice_: Mapping[str, datetime | None] = _NO_SLICE,
) -> int:
    await session.execute(_LIMIT_TIME)
    values: dict[str, object] = {"before": before, "batch": batch, "is_dry": is_dry}
    values |= {name: time for name, time in slice_.items() if time is not None}
    call = text(f"select let_go_of_{kind}({', '.join(f':{name}' for name in values)})")
    rows: int = (await session.execute(call, values)).scalar_one()
    return rows
