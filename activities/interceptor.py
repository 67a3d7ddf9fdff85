"""Activity interceptor that logs one line for each act: its referral, workflow and new stage."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

import structlog
from temporalio import activity
from temporalio.common import MetricCounter, MetricMeter
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.messages import ActRequest, Admission, Scoring
from db import traces
from domain.intake.facts import STORED_EVENT_ID_PATTERN
from domain.lifecycle.referral import Standing

RECENT_S: Final = 30.0
"""Seconds after which an act is not about the event that last woke its workflow."""
MAX_RECENT_CAUSES: Final = 10_000
REPEATED_ATTEMPT: Final = 3
"""Attempt from which a failure is one of many: two may be a restart of Postgres."""

log = structlog.get_logger()


class LogActs(Interceptor):
    """Binds an act's ids to the log context, so that every line logged during it has them.

    Counts the tries that failed, those of an act that fails again and again apart.
    """

    def __init__(self, meter: MetricMeter = MetricMeter.noop, *, acts: Sequence[str] = ()) -> None:
        """Show a zero for each of `acts`, so that an alert has a value to compare with."""
        self._failures = meter.create_counter(
            "referrals_act_failures", "Tries of acts that failed; `again` from the third in a row."
        )
        self._causes = _RecentCauses()
        for act in acts:
            for again in ("false", "true"):
                self._failures.add(0, {"act": act, "again": again})

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's own name
        return _Logging(next, self._failures, self._causes)


class _Logging(ActivityInboundInterceptor):
    def __init__(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002 - the SDK's own name
        failures: MetricCounter,
        causes: "_RecentCauses",
    ) -> None:
        super().__init__(next)
        self._failures = failures
        self._causes = causes

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - as the SDK has it
        info = activity.info()
        request = input.args[0] if input.args else None
        workflow_id = info.workflow_id or ""
        referral_id = str(request.referral_id) if isinstance(request, ActRequest) else None
        ids = {
            "workflow_id": info.workflow_id,
            "activity": info.activity_type,
            "attempt": info.attempt,
            "referral_id": referral_id,
        }
        woken_by = _event_ids(request)
        cause = self._causes.of(workflow_id, woken_by) or referral_id
        with (
            structlog.contextvars.bound_contextvars(**ids),
            traces.span(info.activity_type, cause=cause, workflow_id=workflow_id),
        ):
            try:
                outcome = await super().execute_activity(input)
            except Exception:
                again = str(info.attempt >= REPEATED_ATTEMPT).lower()
                self._failures.add(1, {"act": info.activity_type, "again": again})
                raise
            log.info("acted", stage=_stage(outcome), event_ids=woken_by)
            return outcome


class _RecentCauses:
    """Events that woke workflows lately, for traces: only the first of a waking's acts is told."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def of(self, workflow_id: str, told: Sequence[str]) -> str | None:
        """Return the event that an act is about, if one woke its workflow just now."""
        if not traces.are_on():
            return None
        now_s = time.monotonic()
        if told:
            self._known[workflow_id] = told[-1], now_s
            self._known.move_to_end(workflow_id)
            if len(self._known) > MAX_RECENT_CAUSES:
                self._known.popitem(last=False)
        cause, since_s = self._known.get(workflow_id, (None, 0.0))
        return cause if now_s - since_s < RECENT_S else None


def _stage(outcome: object) -> str | None:
    if isinstance(outcome, Admission | Scoring):
        outcome = outcome.standing
    return outcome.stage.value if isinstance(outcome, Standing) else None


def _event_ids(request: object) -> list[str]:
    if not isinstance(request, ActRequest):
        return []
    heard = (fact.event_id for fact in (*request.heard.facts, *request.heard.decisions))
    return [*heard, *filter(STORED_EVENT_ID_PATTERN.fullmatch, request.because_of)]
