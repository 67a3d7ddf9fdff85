"""How patient each kind of activity is: the one place for timeouts and retries."""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig

# Money steps are retried until they can be done; the cap keeps an outage's recovery quick.
RETRY: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=15)
)


def database_options(summary: str) -> ActivityConfig:
    """One transaction in Postgres, whose statement timeout is shorter than this."""
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=10), retry_policy=RETRY, summary=summary
    )


def fraud_provider_options(summary: str) -> ActivityConfig:
    """A transaction after asking outside fraud signals, each bounded to 2 s."""
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=15), retry_policy=RETRY, summary=summary
    )
