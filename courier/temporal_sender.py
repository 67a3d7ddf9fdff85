"""One delivery as one call to Temporal: a signal that starts the workflow where there is none."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.converter import PayloadCodec, PayloadConverter, WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode

from db.faults import describe
from domain.intake.facts import Signup
from domain.lifecycle.referral import Referral
from domain.lifecycle.signals import Signal
from referrals.lifecycle.deliveries import LeasedDelivery
from workflows.client import start_options, workflow_id
from workflows.payloads import UnreadablePayloadError, is_plain
from workflows.referral.messages import signup_signal
from workflows.referral.workflow import ReferralWorkflow

RPC_TIMEOUT: Final = timedelta(seconds=5)
"""Limit of one call to Temporal; shorter than a lease."""
CODEC_TIMEOUT_S: Final = 5.0
"""Limit of one call to a payload codec, which may ask a key service."""
UNAVAILABLE_STATUSES: Final = frozenset(
    {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}
)

_RESTART: Final = WorkflowIDConflictPolicy.TERMINATE_EXISTING


@dataclass(frozen=True, slots=True)
class TemporalTarget:
    """The client and the task queue of the workflows."""

    client: Client
    task_queue: str


async def send_delivery(target: TemporalTarget, delivery: LeasedDelivery) -> None:
    """Send one delivery; sending it twice does no harm.

    Raises RPCError when Temporal did not take it.
    """
    if not delivery.needs_call:
        return
    if delivery.signal is None:
        await start_referral(target, delivery.referral)
    elif delivery.may_start:
        await start_referral(
            target, delivery.referral, signal=delivery.signal, arguments=_arguments(delivery)
        )
    else:
        await _signal_if_open(target, delivery.referral, delivery.signal, _arguments(delivery))


async def start_referral(
    target: TemporalTarget,
    referral: Referral,
    *,
    signal: str | None = None,
    arguments: list[Any] | None = None,
    restart: bool = False,
) -> None:
    """Start the referral's workflow from its standing, or signal the one that is running.

    `restart` terminates the one that is running.

    Raises RPCError when Temporal did not take it.
    """
    await target.client.start_workflow(
        ReferralWorkflow.run,
        referral,
        id=workflow_id(referral.referral_id),
        task_queue=target.task_queue,
        id_conflict_policy=_RESTART if restart else WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        start_signal=signal,
        start_signal_args=arguments or [],
        rpc_timeout=RPC_TIMEOUT,
        **start_options(referral),
    )


async def is_foreign(target: TemporalTarget, referral: Referral) -> bool:
    """Return whether somebody else began the newest run under a referral's workflow id.

    That is a run of another type, on another queue, or with another referral as its input: it hears
    the referral's signals and does nothing for it. Raises RPCError when Temporal does not answer,
    and RunNotComparedError where the input cannot be decoded here: such a run may be ours.
    """
    request = GetWorkflowExecutionHistoryRequest(
        namespace=target.client.namespace,
        execution=WorkflowExecution(workflow_id=workflow_id(referral.referral_id)),
        maximum_page_size=1,
    )
    try:
        answer = await target.client.workflow_service.get_workflow_execution_history(
            request, timeout=RPC_TIMEOUT
        )
    except RPCError as fault:
        if fault.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    began = answer.history.events[0].workflow_execution_started_event_attributes
    names = began.workflow_type.name, began.task_queue.name
    # Ours has one input, and a codec keeps one value one payload.
    if names != (ReferralWorkflow.__name__, target.task_queue) or len(began.input.payloads) != 1:
        return True
    return not await _is_about(target, referral, began.input.payloads[0])


class RunNotComparedError(Exception):
    """A run whose input cannot be decoded here: it may well be ours."""


async def _is_about(target: TemporalTarget, referral: Referral, stored: Payload) -> bool:
    """Return whether a run's input is the referral.

    Raises RunNotComparedError for what cannot be decoded.
    """
    context = WorkflowSerializationContext(
        namespace=target.client.namespace, workflow_id=workflow_id(referral.referral_id)
    )
    converter = target.client.data_converter.with_context(context)
    # A run from before the codec was set has its input in the clear, whatever a codec makes of it.
    if _names(converter.payload_converter, stored, referral):
        return True
    decoded = await _decode(converter.payload_codec, stored)
    if not is_plain(decoded):
        encoding = decoded.metadata.get("encoding", b"").decode(errors="replace")[:64]
        raise RunNotComparedError(f"no codec here knows the encoding {encoding!r}")
    return _names(converter.payload_converter, decoded, referral)


async def _decode(codec: PayloadCodec | None, stored: Payload) -> Payload:
    if codec is None:
        return stored
    try:
        async with asyncio.timeout(CODEC_TIMEOUT_S):
            (decoded,) = await codec.decode([stored])
    except Exception as fault:  # a codec raises whatever it likes, such as while its key is away
        raise RunNotComparedError(f"the codec failed: {describe(fault)}") from fault
    return decoded


def _names(converter: PayloadConverter, payload: Payload, referral: Referral) -> bool:
    try:
        (told,) = converter.from_payloads([payload], [Referral])
    except UnreadablePayloadError:
        return False
    return isinstance(told, Referral) and told.referral_id == referral.referral_id


async def is_running(target: TemporalTarget, referral: Referral) -> bool:
    """Return whether the newest run under a referral's workflow id is open; False without any.

    Raises RPCError when Temporal does not answer.
    """
    handle = target.client.get_workflow_handle(workflow_id(referral.referral_id))
    try:
        found = await handle.describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as fault:
        if fault.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return found.status is WorkflowExecutionStatus.RUNNING


async def _signal_if_open(
    target: TemporalTarget, referral: Referral, signal: str, arguments: list[Any]
) -> None:
    """Signal an open workflow; do nothing when there is none."""
    handle = target.client.get_workflow_handle(workflow_id(referral.referral_id))
    try:
        await handle.signal(signal, args=arguments, rpc_timeout=RPC_TIMEOUT)
    except RPCError as fault:
        if fault.status is not RPCStatusCode.NOT_FOUND:
            raise


def _arguments(delivery: LeasedDelivery) -> list[Any]:
    if isinstance(delivery.fact, Signup):
        return [signup_signal(delivery.fact, delivery.referral.standing)]
    if delivery.signal == Signal.LOOK:
        # Shown in the Temporal UI; the acts read what is recorded.
        return [{"because_of": delivery.kind, "event_id": delivery.event_id}]
    return [] if delivery.fact is None else [delivery.fact]


def is_away(fault: Exception) -> bool:
    """Return whether a fault tells that Temporal is away, or too slow to answer."""
    # A lazy client that has never connected raises a plain RuntimeError.
    never_connected = type(fault) is RuntimeError and "connect" in str(fault)
    refused = isinstance(fault, RPCError) and fault.status in UNAVAILABLE_STATUSES
    return refused or never_connected or isinstance(fault, TimeoutError)
