"""Acts of somebody at Temporal's port on one workflow, beside well-formed signals."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import (
    QueryWorkflowRequest,
    ResetWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
)
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from workflows.referral.workflow import ReferralWorkflow

TASK_QUEUE: Final = "referrals"
KIND: Final = "ReferralWorkflow"
SOON: Final = timedelta(seconds=2)
NAMESPACE: Final = "default"
LARGEST_BYTES: Final = 1_900_000
"""Near the 2 MB that Temporal takes."""
SIGNALS: Final = ("sign_up", "make_deposit", "charge_back", "decide", "look", "supersede")
OURS: Final = ("__stack_trace", "__enhanced_stack_trace", "__temporal_workflow_metadata", "__x")
Attack = Callable[[Client, str], Awaitable[object]]


def payload(encoding: bytes | None, data: bytes, **metadata: bytes) -> Payload:
    named = {} if encoding is None else {"encoding": encoding}
    return Payload(metadata={**named, **metadata}, data=data)


PAYLOADS: Final[Mapping[str, Payload]] = {
    "binary": payload(b"binary/plain", bytes(range(256))),
    "nothing": payload(b"binary/null", b""),
    "nothing with content": payload(b"binary/null", b"\x00\xff"),
    "protobuf as JSON": payload(
        b"json/protobuf", b'{"metadata": {}}', messageType=b"temporal.api.common.v1.Payload"
    ),
    "protobuf of an unknown type": payload(
        b"binary/protobuf", b"\x0a\x00", messageType=b"evil.v1.Pay"
    ),
    "an unknown encoding": payload(b"evil/encoding", b"{}"),
    "no encoding": payload(None, b"{}"),
    "an encoding that is no text": payload(b"\xff\xfe\x00", b"{}"),
    "a codec's encoding": payload(b"binary/encrypted", b"\x01" * 64),
    "compressed": payload(b"binary/zlib", b"x\x9c\x03\x00\x00\x00\x00\x01"),
    "UTF-16": payload(b"json/plain", '{"event_id": "e"}'.encode("utf-16")),
    "UTF-32": payload(b"json/plain", '{"event_id": "e"}'.encode("utf-32-le")),
    "latin-1": payload(b"json/plain", '{"event_id": "é"}'.encode("latin-1")),
    "a byte order mark": payload(b"json/plain", b"\xef\xbb\xbf{}"),
    "a key twice": payload(b"json/plain", b'{"event_id": "a", "event_id": "b"}'),
    "infinity": payload(b"json/plain", b'{"amount": Infinity}'),
    "a huge number": payload(b"json/plain", b"1" * 10_000),
    "empty": payload(b"json/plain", b""),
    "megabytes": payload(b"json/plain", b'"' + b"x" * LARGEST_BYTES + b'"'),
    "megabytes of binary": payload(b"binary/plain", b"\xff" * LARGEST_BYTES),
    "megabytes in a field": payload(
        b"json/plain", b'{"event_id": "' + b"\\u0001" * (LARGEST_BYTES // 6) + b'"}'
    ),
}


def signal_payloads(*names: str, times: int = 1) -> Attack:
    async def attack(client: Client, workflow_id: str) -> None:
        for name in SIGNALS:
            for kind in names:
                # Temporal ends a run whose history has 50 MB; the next event starts another.
                with suppress(RPCError):
                    await send_signal(client, workflow_id, name, *[PAYLOADS[kind]] * times)

    return attack


async def send_signal(client: Client, workflow_id: str, name: str, *arguments: Payload) -> None:
    """Signal with payloads that no converter of ours makes."""
    await client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            signal_name=name,
            input=Payloads(payloads=arguments),
            identity="somebody",
        )
    )


async def signal_odd_names(client: Client, workflow_id: str) -> None:
    for name in (*OURS, "__temporal_signal", "\u202e" * 300, "a\nb", "run", "__init__"):
        await send_signal(client, workflow_id, name, PAYLOADS["binary"])


async def query_oddly(client: Client, workflow_id: str) -> None:
    for name in ("current_stage", *OURS, "unknown"):
        for kind in ("binary", "an unknown encoding", "a key twice", "megabytes"):
            with suppress(RPCError):
                await client.workflow_service.query_workflow(
                    QueryWorkflowRequest(
                        namespace=NAMESPACE,
                        execution=WorkflowExecution(workflow_id=workflow_id),
                        query=WorkflowQuery(
                            query_type=name, query_args=Payloads(payloads=[PAYLOADS[kind]] * 2)
                        ),
                    ),
                    timeout=SOON,
                )


async def update_oddly(client: Client, workflow_id: str) -> None:
    handle = client.get_workflow_handle(workflow_id)
    for name in ("sign_up", "pay_me", *OURS):
        with suppress(
            RPCError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
        ):
            await handle.execute_update(name, {"minor": 10**6}, rpc_timeout=SOON)


async def terminate(client: Client, workflow_id: str) -> None:
    with suppress(RPCError):  # it may be terminated already
        await client.get_workflow_handle(workflow_id).terminate("because I can")


async def cancel(client: Client, workflow_id: str) -> None:
    await client.get_workflow_handle(workflow_id).cancel()


async def reset(client: Client, workflow_id: str) -> None:
    """Reset the workflow to its first task, as if nothing had been done."""
    request = ResetWorkflowExecutionRequest(
        namespace=NAMESPACE,
        workflow_execution=WorkflowExecution(workflow_id=workflow_id),
        reason="again",
        workflow_task_finish_event_id=4,
        request_id=uuid4().hex,
    )
    with suppress(RPCError):
        await client.workflow_service.reset_workflow_execution(request)


def forged(workflow_id: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return an input of ReferralWorkflow that says what an attacker likes."""
    standing = {"stage": "SETTLED", "until": "2090-01-01T00:00:00Z"}
    base = {
        "referral_id": workflow_id.removeprefix("referral:"),
        "campaign": "default",
        "referrer_id": "attacker",
        "code": "FORGED",
        "standing": standing,
    }
    return {**base, **changed}


def start_in_its_place(kind: str, told: object) -> Attack:
    async def attack(client: Client, workflow_id: str) -> None:
        argument = told(workflow_id) if callable(told) else told
        await client.start_workflow(
            kind,
            argument,
            id=workflow_id,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
        )

    return attack


def start_beside(**standing: str) -> Attack:
    """Start more workflows of the same referral, every minute as well."""

    async def attack(client: Client, workflow_id: str) -> None:
        told = forged(workflow_id, standing=standing)
        for cron in ("", "* * * * *"):
            await client.start_workflow(
                ReferralWorkflow.__name__,
                told,
                id=f"beside-{uuid4()}",
                task_queue=TASK_QUEUE,
                cron_schedule=cron,
                execution_timeout=timedelta(seconds=20),
            )

    return attack


async def schedule_beside(client: Client, workflow_id: str) -> None:
    """Schedule forged workflows of each of our types, every second."""
    far = datetime(2090, 1, 1, tzinfo=UTC).isoformat()
    given: dict[str, object] = {
        KIND: forged(workflow_id, standing={"stage": "HELD", "until": far}),
        "CaseWorkflow": {"case_id": str(uuid4()), "standing": {"status": "open", "due_at": far}},
        "ReconcileWorkflow": {"days": 10**9},
        "CareWorkflow": {"kind": "retention"},
    }
    schedules = []
    for kind, told in given.items():
        action = ScheduleActionStartWorkflow(
            kind,
            told,
            id=f"scheduled-{uuid4()}",
            task_queue=TASK_QUEUE,
            execution_timeout=timedelta(seconds=5),
        )
        spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))])
        schedules.append(
            await client.create_schedule(
                f"forged-{uuid4()}", Schedule(action=action, spec=spec), trigger_immediately=True
            )
        )
    await asyncio.gather(*(one.delete() for one in schedules))


SMALL: Final = [kind for kind in PAYLOADS if "megabytes" not in kind]
LARGE: Final = [kind for kind in PAYLOADS if "megabytes" in kind]
ATTACKS: Final[Mapping[str, Attack]] = {
    "payloads of other encodings": signal_payloads(*SMALL),
    "payloads of megabytes": signal_payloads(*LARGE),
    "no argument": signal_payloads("binary", times=0),
    "many arguments": signal_payloads("a key twice", times=50),
    "odd names": signal_odd_names,
    "odd queries": query_oddly,
    "odd updates": update_oddly,
    "a termination": terminate,
    "a request to cancel": cancel,
    "a reset": reset,
    "others beside it, held": start_beside(stage="HELD", until="2090-01-01T00:00:00Z"),
    "others beside it, expired long ago": start_beside(
        stage="SIGNED_UP", until="2001-01-01T00:00:00Z"
    ),
    "schedules of each type": schedule_beside,
}
IN_ITS_PLACE: Final[Mapping[str, Attack]] = {
    "our type, ended": start_in_its_place(KIND, forged),
    "our type, with nothing readable": start_in_its_place(KIND, {"a": 1}),
    "another type of ours": start_in_its_place("CaseWorkflow", {"case_id": "1"}),
    "a type that nobody has": start_in_its_place("Squatter", None),
}
"""Runs under a workflow's id, which the courier replaces after a minute."""
