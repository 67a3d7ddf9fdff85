"""The command `verify --chain`: prints the first rows that differ from the hash chain."""

import uvloop

from courier.verifier import explain
from db.engine import ANSWER_GRACE_S, Database
from db.faults import DATABASE_FAULTS
from referrals.chain.checking import STATEMENT_TIMEOUT_S, ChainReport, check_chain
from referrals.chain.checkpoints import Checkpoint, CheckpointError, read_checkpoints
from runtime.command_line import COULD_NOT_RUN
from runtime.settings import DatabaseSettings


def main(settings: DatabaseSettings) -> int:
    """Check the chain and print the result; return 0 if nothing differs, 1 if not, 2 if unknown."""
    try:
        report = uvloop.run(_check(settings))
    except CheckpointError as forged:
        print(f"chain red: {forged}")  # noqa: T201
        return 1
    except DATABASE_FAULTS as fault:
        print(f"could not verify: {explain(fault)}")  # noqa: T201
        return COULD_NOT_RUN
    print("\n".join(_lines(report, is_signed=settings.checkpoint_key is not None)))  # noqa: T201
    return 0 if report.ok else 1


async def _check(settings: DatabaseSettings) -> ChainReport:
    checkpoints: tuple[Checkpoint, ...] = ()
    if settings.checkpoint_directory is not None and settings.checkpoint_key is not None:
        key = settings.checkpoint_key.get_secret_value().encode()
        checkpoints = tuple(read_checkpoints(settings.checkpoint_directory, key))
    timeout_s = STATEMENT_TIMEOUT_S + ANSWER_GRACE_S
    async with Database.open(settings.database_url, command_timeout_s=timeout_s) as database:
        return await check_chain(database, checkpoints)


def _lines(report: ChainReport, *, is_signed: bool) -> list[str]:
    color = "green" if report.ok else "red"
    counted = f"{report.links:,} links, {report.waiting:,} rows on their way"
    lines = [f"chain {color}: {counted}, {report.checkpoints:,} checkpoints"]
    if not is_signed:
        lines.append("without checkpoints, a chain that was rewritten as a whole looks the same")
    return lines + [f"  {fault}" for fault in report.faults]
