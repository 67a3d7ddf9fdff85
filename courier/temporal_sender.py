"""One delivery as one call to Temporal: a signal that starts its workflow where there is none."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from domain.intake.facts import Signup
from domain.lifecycle.referral import CREDITED_STAGES, EARNING_STAGES, Referral, Stage
from referrals.lifecycle.deliveries import LeasedDelivery
from workflows.client import start_options, workflow_id
from workflows.referral.messages import signup_signal
from workflows.referral.workflow import ReferralWorkflow

RPC_TIMEOUT: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class TemporalTarget:
    """Where the workflows are."""

    client: Client
    task_queue: str


def needs_call(due: LeasedDelivery) -> bool:
    """An invitation that is none any more has nothing to start."""
    return due.signal is not None or due.referral.standing.stage is Stage.INVITED


async def send_delivery(address: TemporalTarget, due: LeasedDelivery) -> None:
    """RPCError when Temporal did not take it; nothing is lost by carrying it twice."""
    if not needs_call(due):
        return
    if due.signal is None:
        await start_referral(address, due.referral)
    elif due.referral.standing.stage in EARNING_STAGES | CREDITED_STAGES:
        await start_referral(address, due.referral, signal=due.signal, arguments=_arguments(due))
    else:
        await _signal_if_open(address, due.referral, due.signal, _arguments(due))


async def start_referral(
    address: TemporalTarget,
    referral: Referral,
    *,
    signal: str | None = None,
    arguments: list[Any] | None = None,
) -> None:
    """Start the referral's workflow from where it stands, or signal the one that is there."""
    await address.client.start_workflow(
        ReferralWorkflow.run,
        referral,
        id=workflow_id(referral.referral_id),
        task_queue=address.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        start_signal=signal,
        start_signal_args=arguments or [],
        rpc_timeout=RPC_TIMEOUT,
        **start_options(referral),
    )


async def _signal_if_open(
    address: TemporalTarget, referral: Referral, signal: str, arguments: list[Any]
) -> None:
    """The end of a referral is news to an open workflow only; none is started for it."""
    handle = address.client.get_workflow_handle(workflow_id(referral.referral_id))
    try:
        await handle.signal(signal, args=arguments, rpc_timeout=RPC_TIMEOUT)
    except RPCError as fault:
        if fault.status is not RPCStatusCode.NOT_FOUND:
            raise


def _arguments(due: LeasedDelivery) -> list[Any]:
    if isinstance(due.fact, Signup):
        return [signup_signal(due.fact, due.referral.standing)]
    return [] if due.fact is None else [due.fact]
