"""One line in the log for each act: which referral, which workflow, and where it stands now."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.messages import Admission, Look, Scoring
from domain.lifecycle.referral import Standing

log = structlog.get_logger()


class LogActs(Interceptor):
    """Binds the ids of an act, so that whatever it logs carries them."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's own name
        return _Logging(next)


class _Logging(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - as the SDK has it
        info = activity.info()
        look = input.args[0] if input.args else None
        ids = {
            "workflow_id": info.workflow_id,
            "activity": info.activity_type,
            "attempt": info.attempt,
            "referral_id": str(look.referral_id) if isinstance(look, Look) else None,
        }
        with structlog.contextvars.bound_contextvars(**ids):
            outcome = await super().execute_activity(input)
            log.info("acted", stage=_stage(outcome), event_ids=_heard(look))
            return outcome


def _stage(outcome: object) -> str | None:
    if isinstance(outcome, Admission | Scoring):
        outcome = outcome.standing
    return outcome.stage.value if isinstance(outcome, Standing) else None


def _heard(look: object) -> list[str]:
    if not isinstance(look, Look):
        return []
    return [fact.event_id for fact in (*look.heard.facts, *look.heard.decisions)]
