"""Interceptor that drops malformed signals, which would block a workflow for ever."""

from temporalio import workflow
from temporalio.worker import (
    HandleSignalInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)


class DropMalformedSignals(Interceptor):
    """Drops signals whose arguments are missing or wrong: anyone may send them."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's own name
    ) -> type[WorkflowInboundInterceptor]:
        return _Dropping


class _Dropping(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002 - as above
        try:
            await super().handle_signal(input)
        except (TypeError, AttributeError, ValueError) as fault:
            # Neither the fault's text nor an unknown name is logged: both may be what was sent.
            workflow.logger.warning(
                "malformed signal %s dropped: %s", _known(input.signal), type(fault).__name__
            )


def _known(signal: str) -> str:
    is_word = signal.isascii() and signal.replace("_", "").isalpha() and signal.islower()
    return signal if is_word else "of an unknown name"
