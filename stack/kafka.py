"""The Kafka broker of the embedded stack, as a child of its own."""

from typing import Final

from messaging.topics import INBOUND, OUTBOUND, dead_letters_of
from stack.child import ChildSpec, python_child
from stack.probes import has_logged_ready
from stack.referral_processes import BACKGROUND_NICENESS

TOPICS: Final = (*INBOUND, *OUTBOUND, *map(dead_letters_of, INBOUND))
"""Topics that exist before any group subscribes: the mock cluster demands it."""


def kafka_child(*, port: int) -> ChildSpec:
    return python_child(
        "kafka",
        ["stack.kafka_broker", "--port", str(port), *TOPICS],
        has_logged_ready,
        environment={},
        niceness=BACKGROUND_NICENESS,
    )
