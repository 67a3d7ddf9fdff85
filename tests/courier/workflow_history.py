"""What Temporal was told: read from histories, with no worker to answer."""

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from db.tables import ReferralRow
from workflows.client import workflow_id

START = "start"


async def received_signals(client: Client, row: ReferralRow) -> list[str]:
    """'start' and the names of signals, in the order of the history; empty when never started."""
    handle = client.get_workflow_handle(workflow_id(row.id))
    try:
        history = await handle.fetch_history()
    except RPCError as fault:
        if fault.status is RPCStatusCode.NOT_FOUND:
            return []
        raise
    names = []
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            names.append(START)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            names.append(event.workflow_execution_signaled_event_attributes.signal_name)
    return names
