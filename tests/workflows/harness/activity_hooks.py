"""Hooks of a test before and after activities, which may wait for one or make it fail."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import temporalio.client
import temporalio.worker
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

Cue = Callable[[], Awaitable[None]]


class ActivityHooks(temporalio.client.Interceptor, temporalio.worker.Interceptor):
    """A client's interceptor reaches the worker that uses the client."""

    def __init__(self) -> None:
        self.before: dict[tuple[str, str], Cue] = {}
        self.after: dict[tuple[str, str], Cue] = {}
        """(workflow id, activity) to what happens then; after an act, it has committed already."""
        self.acted: list[tuple[str, str]] = []
        self.runs: dict[tuple[str, str], None] = {}
        """(workflow id, run id) of every run that acted, in order."""
        self._changed = asyncio.Condition()

    def attach_to(self, client: Client) -> Client:
        config = client.config()
        config["interceptors"] = [*config["interceptors"], self]
        return Client(**config)

    async def wait_for_next_act(self, after: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.acted) > after)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's own name
        return _HookedActivities(next, self)

    async def record_act(self, act: tuple[str, str]) -> None:
        async with self._changed:
            self.acted.append(act)
            self._changed.notify_all()


class _HookedActivities(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, hooks: ActivityHooks) -> None:  # noqa: A002 - as above
        super().__init__(next)
        self._hooks = hooks

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - as above
        about = activity.info()
        act = (about.workflow_id or "", about.activity_type)
        self._hooks.runs[about.workflow_id or "", about.workflow_run_id or ""] = None
        if about.is_local and (act in self._hooks.before or act in self._hooks.after):
            # A local act has seconds; what a test waits for may take longer.
            raise RuntimeError("to be handed out as a task")
        if cue := self._hooks.before.get(act):
            await cue()
        answer = await super().execute_activity(input)
        if cue := self._hooks.after.get(act):
            await cue()
        await self._hooks.record_act(act)
        return answer
