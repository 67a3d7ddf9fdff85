"""Timeouts and retries of activities, all in this one module."""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from workflows.builds import provider_queue

# Acts are retried until they succeed; the cap on the interval bounds the delay after an outage.
RETRY: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=15)
)


LOCAL_RETRY: Final = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=3)
ACT_LIMIT: Final = timedelta(seconds=30)
"""Time for one try of an act that was handed out. An act that is cut off has done its work for
nothing, so a database that is ten times slower than usual must still end within it."""
LOCAL_QUEUE_LIMIT: Final = timedelta(seconds=2)
"""Wait for a local slot: where more is waiting than the process can do, the server queues it."""
LOCAL_LIMIT: Final = timedelta(seconds=12)
"""Time for all local tries of an act. Beyond eight seconds the workflow task sends a heartbeat, of
three events: one at most, where an outage of an hour would be over a thousand."""


def local_options(summary: str | None) -> LocalActivityConfig:
    """Return options for an act that is tried in the workflow's own task first."""
    return LocalActivityConfig(
        schedule_to_close_timeout=LOCAL_LIMIT,
        schedule_to_start_timeout=LOCAL_QUEUE_LIMIT,
        retry_policy=LOCAL_RETRY,
        # A retry that waits longer would be a timer of the history.
        local_retry_threshold=LOCAL_LIMIT,
        summary=summary,
    )


def database_options(summary: str) -> ActivityConfig:
    """Return options for one transaction; the statement timeout of Postgres is shorter."""
    return ActivityConfig(start_to_close_timeout=ACT_LIMIT, retry_policy=RETRY, summary=summary)


def asking_options(summary: str) -> ActivityConfig:
    """Return options for asking fraud providers, each for at most 2 s, and one transaction.

    Such an act has a queue of its own, where providers are asked: it takes no slot of the others.
    """
    options = ActivityConfig(start_to_close_timeout=ACT_LIMIT, retry_policy=RETRY, summary=summary)
    if queue := provider_queue():
        options["task_queue"] = queue
    return options


def reconciliation_options(summary: str) -> ActivityConfig:
    """Return options for a comparison with the wallet, which reads it page by page."""
    return ActivityConfig(
        start_to_close_timeout=timedelta(hours=1),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(minutes=1), maximum_interval=timedelta(minutes=30)
        ),
        summary=summary,
    )


def care_options(summary: str) -> ActivityConfig:
    """Return options for what reads whole tables; each statement has a deadline in Postgres.

    A day's care ends before the next day's: a try that fails is repeated for some hours.
    """
    return ActivityConfig(
        start_to_close_timeout=timedelta(hours=4),
        schedule_to_close_timeout=timedelta(hours=20),
        heartbeat_timeout=timedelta(minutes=2),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(minutes=1), maximum_interval=timedelta(hours=1)
        ),
        summary=summary,
    )
