"""The command `retention`: lets go of what is older than an age, kind by kind."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

import uvloop

from courier.verifier import explain
from db.engine import ANSWER_GRACE_S, Database
from db.faults import DATABASE_FAULTS
from referrals.access.audit import Actor
from referrals.personal.retention import (
    STATEMENT_TIMEOUT_S,
    count_old,
    let_go_of_all,
    periods_of,
)
from runtime.care_settings import RetentionSettings
from runtime.command_line import COULD_NOT_RUN
from runtime.settings import DatabaseSettings


def main(
    settings: DatabaseSettings,
    kept_for: Mapping[str, timedelta],
    *,
    is_dry: bool,
    actor: Actor,
) -> int:
    """Print how many rows of each kind were let go of, or would be, and return the exit code.

    `kept_for` has the kinds to let go of, each with its age.
    """
    try:
        return uvloop.run(_run(settings, kept_for, is_dry=is_dry, actor=actor))
    except DATABASE_FAULTS as fault:
        print(f"could not let go of anything more: {explain(fault)}")  # noqa: T201
        return COULD_NOT_RUN


def asked_for(
    settings: RetentionSettings, *, days: int | None, kinds: Collection[str]
) -> dict[str, timedelta]:
    """Return the kinds to let go of, each with its age; ValueError for what cannot be meant.

    `kinds` may name kinds that are kept otherwise; none means those of the settings. `days` is the
    general age, and that of the kinds that are named.
    """
    general, ages = days or settings.retention_days, settings.retention_days_by_kind
    if not kinds:
        return periods_of(general, ages)
    named = {kind: (None if days else ages.get(kind)) or general for kind in kinds}
    return {kind: age for kind, age in periods_of(general, named).items() if kind in named}


async def _run(
    settings: DatabaseSettings,
    kept_for: Mapping[str, timedelta],
    *,
    is_dry: bool,
    actor: Actor,
) -> int:
    now = datetime.now(UTC)
    timeout_s = STATEMENT_TIMEOUT_S + ANSWER_GRACE_S
    async with Database.open(settings.database_url, command_timeout_s=timeout_s) as database:
        for kind, age in kept_for.items():
            rows = await _rows(database, kind, before=now - age, is_dry=is_dry, actor=actor)
            print(f"{kind}: {rows}")  # noqa: T201
    return 0


async def _rows(
    database: Database, kind: str, *, before: datetime, is_dry: bool, actor: Actor
) -> int:
    if not is_dry:
        return await let_go_of_all(database, kind, actor, before=before)
    async with database.transaction() as session:
        return await count_old(session, kind, before=before)
