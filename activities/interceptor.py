"""Activity interceptor that logs one line for each act: its referral, workflow and new stage."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.messages import ActRequest, Admission, Scoring
from domain.lifecycle.referral import Standing

log = structlog.get_logger()


class LogActs(Interceptor):
    """Binds an act's ids to the log context, so that every line logged during it has them."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's own name
        return _Logging(next)


class _Logging(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - as the SDK has it
        info = activity.info()
        request = input.args[0] if input.args else None
        ids = {
            "workflow_id": info.workflow_id,
            "activity": info.activity_type,
            "attempt": info.attempt,
            "referral_id": str(request.referral_id) if isinstance(request, ActRequest) else None,
        }
        with structlog.contextvars.bound_contextvars(**ids):
            outcome = await super().execute_activity(input)
            log.info("acted", stage=_stage(outcome), event_ids=_event_ids(request))
            return outcome


def _stage(outcome: object) -> str | None:
    if isinstance(outcome, Admission | Scoring):
        outcome = outcome.standing
    return outcome.stage.value if isinstance(outcome, Standing) else None


def _event_ids(request: object) -> list[str]:
    if not isinstance(request, ActRequest):
        return []
    return [fact.event_id for fact in (*request.heard.facts, *request.heard.decisions)]
