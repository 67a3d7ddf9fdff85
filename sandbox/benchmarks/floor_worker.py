"""The worker of the floor: the real one's options, with the floor's workflow."""

import os

import structlog
import uvloop
from temporalio.worker import Worker

from runtime.exit import exit_process, stop_event
from runtime.logs import configure_logging
from sandbox.benchmarks.floor_workflow import TASK_QUEUE, FloorWorkflow, nothing
from stack.temporal import NAMESPACE
from workflows.client import connect
from workflows.runner import runner_for


async def main() -> None:
    """Run until SIGTERM, at the address in FLOOR_TEMPORAL."""
    configure_logging("INFO")
    stop = stop_event()
    client = await connect(os.environ["FLOOR_TEMPORAL"], namespace=NAMESPACE, lazy=False)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[FloorWorkflow],
        activities=[nothing],
        workflow_runner=runner_for(client.data_converter),
        max_concurrent_activities=10,
        max_concurrent_local_activities=10,
    )
    async with worker:
        structlog.get_logger().info("ready")
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(main())
    exit_process(0)
