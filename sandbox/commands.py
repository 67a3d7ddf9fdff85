"""The commands that play simulations: `demo`, `bench`, `sportsbook` and the evaluations.

Like those of cli/, each imports what it runs.
"""

from pathlib import Path
from typing import Annotated

import typer

from runtime.command_line import STACK_DIRECTORY, exit_with

JsonFileOption = Annotated[
    Path | None, typer.Option("--json", help="Write the measurements to this file.")
]

sandbox_commands = typer.Typer()


@sandbox_commands.command()
def demo(
    *,
    referrals: Annotated[
        int, typer.Option(min=0, max=5000, help="Referrals of the weeks before, for the console.")
    ] = 240,
) -> None:
    """Play referrals from click to reward on a stack of their own, and check the results.

    What was played stays, and `referrals up` goes on with it.
    """
    from sandbox.demo.main import main as play

    exit_with(play(referrals=referrals))


@sandbox_commands.command()
def bench(
    *,
    lifecycles: Annotated[int, typer.Option(min=1, help="Referrals to play.")] = 200,
    backlog: Annotated[int, typer.Option(min=1, help="Messages in Kafka to drain.")] = 20_000,
    json_file: JsonFileOption = None,
    only: Annotated[
        list[str] | None, typer.Option(help="A part, such as `links`; repeatable.")
    ] = None,
    broker: Annotated[
        str, typer.Option(help="`mock`, or `apache` for Apache Kafka, which needs Java and Maven.")
    ] = "mock",
    open_referrals: Annotated[
        int,
        typer.Option(min=100, help="Open referrals for `--only growth`."),
    ] = 1_000_000,
    facts: Annotated[int, typer.Option(min=100, help="Facts for `--only growth`.")] = 10_000_000,
) -> None:
    """Measure throughput and latency beside the floor of the same run."""
    from sandbox.benchmarks.brokers import BrokerKind
    from sandbox.benchmarks.main import main as measure

    if broker not in set(BrokerKind):
        raise typer.BadParameter(f"{broker}: it is `mock` or `apache`")
    sizes = {"open_referrals": open_referrals, "facts": facts}
    exit_with(
        measure(lifecycles, backlog, json_file, only=only or (), broker=BrokerKind(broker), **sizes)
    )


@sandbox_commands.command("reports-bench")
def reports_bench(
    events: Annotated[int, typer.Option(min=1, help="Events to load.")] = 2_000_000,
) -> None:
    """Measure the embedded warehouse: its load rate, and each report over all events."""
    from sandbox.benchmarks.warehouse_reports import main as measure

    exit_with(measure(events))


@sandbox_commands.command()
def sportsbook(
    *,
    players: Annotated[int, typer.Option(min=1, help="Friends who follow a link.")] = 100,
    concurrency: Annotated[int, typer.Option(min=1, help="Lives at a time.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of what each life brings.")] = 1,
    directory: Annotated[
        Path, typer.Option("--dir", help="Where the stack keeps its state.")
    ] = STACK_DIRECTORY,
) -> None:
    """Play players of a sportsbook against a running stack, with events over Kafka."""
    from sandbox.sportsbook.main import main as play

    exit_with(play(players=players, concurrency=concurrency, seed=seed, directory=directory))


@sandbox_commands.command("attribution-eval")
def attribution_eval(
    *,
    journeys: Annotated[int, typer.Option(min=1, help="Signups to simulate.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the random journeys.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="Processes that simulate.")] = 2,
    json_file: JsonFileOption = None,
) -> None:
    """Play journeys with a known truth and show how many were attributed correctly."""
    from sandbox.evaluation.main import main as evaluate

    exit_with(evaluate(journeys, seed, processes, json_file))


@sandbox_commands.command("fraud-eval")
def fraud_eval(
    *,
    players: Annotated[int, typer.Option(min=1, help="Players to simulate.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the population.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="Processes that simulate.")] = 2,
    json_file: JsonFileOption = None,
) -> None:
    """Play a population with known rings and show who was caught, paid or held."""
    from sandbox.fraud_evaluation.main import main as evaluate

    exit_with(evaluate(players, seed, processes, json_file))
