"""The commands of the warehouse: load it from Kafka or Postgres, and read its reports."""

import asyncio
import json
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import available_timezones

import typer

from analytics.warehouse import is_server
from runtime.command_line import COULD_NOT_RUN, exit_with, read_settings
from runtime.logs import configure_logging
from runtime.settings import DatabaseSettings, Settings

if TYPE_CHECKING:
    from analytics.source import WarehouseReports
    from analytics.warehouse import Warehouse

warehouse = typer.Typer(
    no_args_is_help=True, help="Events in ClickHouse, on a server or in a folder."
)
AddressOption = Annotated[
    str,
    typer.Option(
        "--warehouse",
        envvar="CLICKHOUSE_URL",
        help="A folder, for one process at a time, or a server's URL.",
    ),
]
SinceOption = Annotated[
    datetime | None, typer.Option("--from", help="Inclusive; UTC without an offset.")
]
UntilOption = Annotated[
    datetime | None, typer.Option("--to", help="Exclusive; UTC without an offset.")
]
DEFAULT_FOLDER = ".stack/warehouse"
SETTING = "--warehouse or CLICKHOUSE_URL"
MOST_OF_A_FAULT = 300
"""Characters of a server's sentence that are printed: it may quote the whole statement."""


def reports_of(address: str) -> "WarehouseReports | None":
    """Return the reports of a server for the API; None for a folder, which one process opens."""
    check_address(address)
    if not is_server(address):
        return None
    require_extra(address)
    from analytics.source import WarehouseReports
    from analytics.warehouse import ServerWarehouse

    return WarehouseReports(lambda: ServerWarehouse(address))


@contextmanager
def opened_at(address: str) -> "Iterator[Warehouse]":
    """Open the warehouse of a command while the block runs.

    Exits with 2 and a sentence where its extra is missing, and where it is away or refuses.
    """
    check_address(address)
    require_extra(address)
    from analytics.warehouse import faults_at, open_warehouse

    try:
        opened = open_warehouse(address)
        yield opened
        opened.close()
    except faults_at(address) as fault:
        sentence = f"{type(fault).__name__}: {str(fault).partition(chr(10))[0][:MOST_OF_A_FAULT]}"
        exit_with(
            COULD_NOT_RUN,
            f"could not run: the warehouse at {SETTING} cannot be used ({sentence})",
        )


def check_address(address: str) -> None:
    """Exit with 2 and a sentence for the URL of another scheme, which would become a folder."""
    if "://" in address and not is_server(address):
        exit_with(
            COULD_NOT_RUN,
            f"{SETTING} must be a folder, or a URL that begins with http:// or https://",
        )


def _utc(given: datetime) -> datetime:
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)


def require_extra(address: str) -> None:
    """Exit with 2 and a sentence where the client of a server, or the engine, is not installed."""
    if is_server(address):
        package, lacking = "clickhouse_connect", "the warehouse needs the extra `warehouse`"
    else:
        package, lacking = "chdb", "a warehouse in a folder needs the extra `analytics`"
    if find_spec(package) is None:
        exit_with(COULD_NOT_RUN, f"{lacking} of this package")


@warehouse.command()
def load(address: AddressOption = DEFAULT_FOLDER) -> None:
    """Read `referral.events.v1` into the warehouse until Ctrl-C."""
    from analytics.consumer import WarehouseConsumer
    from messaging.kafka import KafkaCluster

    settings = read_settings(Settings)
    configure_logging(settings.log_level)
    cluster = KafkaCluster.of(settings)
    if cluster is None:
        raise typer.BadParameter("REFERRALS_KAFKA_BOOTSTRAP_SERVERS is not set")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with opened_at(address) as opened:
        WarehouseConsumer(cluster, opened).run(stopping)
    exit_with(0)


@warehouse.command()
def backfill(address: AddressOption = DEFAULT_FOLDER) -> None:
    """Load every event of the outbox. Safe beside `load`, and to run again."""
    from analytics.backfill import backfill as fill
    from analytics.warehouse import MERGE
    from db.engine import Database

    settings = read_settings(DatabaseSettings)
    with opened_at(address) as opened:

        async def run() -> int:
            async with Database.open(settings.database_url) as database:
                return await fill(database, opened)

        loaded = asyncio.run(run())
        opened.run(MERGE)
        typer.echo(f"{loaded} events are in the warehouse")
    exit_with(0)


@warehouse.command()
def report(
    name: Annotated[str, typer.Argument(help="funnel, cost, reversals …; others are named.")],
    *,
    since: SinceOption = None,
    until: UntilOption = None,
    by: Annotated[
        str, typer.Option(help="day, week, campaign, version, variant or cohort.")
    ] = "day",
    campaign: Annotated[str | None, typer.Option(help="Its slug.")] = None,
    zone: Annotated[str, typer.Option(help="Time zone of days and weeks.")] = "UTC",
    address: AddressOption = DEFAULT_FOLDER,
) -> None:
    """Print a report of the warehouse as lines of JSON."""
    from analytics import reports
    from referrals.reports.funnel import By
    from referrals.reports.span import Span

    span = Span(campaign=campaign, zone=zone)
    if since:
        span = replace(span, since=_utc(since))
    if until:
        span = replace(span, until=_utc(until))
    known: dict[str, Callable[[Warehouse], Sequence[Any]]] = {
        "funnel": lambda opened: reports.load_funnel(opened, span, by=By(by)),
        "time-to-conversion": lambda opened: [reports.load_time_to_conversion(opened, span)],
        "cost": lambda opened: [reports.load_cost(opened, span)],
        "reversals": lambda opened: [reports.load_reversals(opened, span)],
        "top-referrers": lambda opened: reports.load_top_referrers(opened, span, limit=50),
    }
    if name not in known:
        raise typer.BadParameter(f"the reports are {', '.join(known)}")
    if by not in {group.value for group in reports.GROUPS}:
        raise typer.BadParameter(f"--by is {', '.join(group.value for group in reports.GROUPS)}")
    if zone not in available_timezones():
        raise typer.BadParameter("--zone is an IANA time zone, such as Europe/Vienna")
    check_address(address)
    require_extra(address)
    if not is_server(address) and not _is_warehouse(Path(address)):
        exit_with(COULD_NOT_RUN, f"no warehouse in {address}: `load` or `backfill` makes one")
    with opened_at(address) as opened:
        for row in known[name](opened):
            typer.echo(json.dumps(asdict(row)))
    exit_with(0)


def _is_warehouse(folder: Path) -> bool:
    """Tell a folder of the embedded engine, which would make one of any other folder."""
    return (folder / "metadata").is_dir()
