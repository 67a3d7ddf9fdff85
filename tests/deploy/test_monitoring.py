"""Alert rules and dashboards: their runbook links, and promtool's opinion of them."""

import re
import shutil
import subprocess
from typing import Final

import pytest
import yaml

from tests import ROOT
from tests.deploy.monitoring import DASHBOARDS, RULES, alerts, named_metrics, panels

PROMTOOL: Final = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)


def test_every_alert_links_to_a_heading_of_the_runbook() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    lost = {
        rule["alert"]: rule["annotations"]["runbook_url"]
        for rule in alerts()
        if rule["annotations"]["runbook_url"].removeprefix("docs/runbook.md#") not in anchors
    }
    assert lost == {}


def test_every_alert_says_how_urgent_it_is_and_what_happened() -> None:
    assert {rule["labels"]["severity"] for rule in alerts()} == {"page", "ticket"}
    assert [rule["alert"] for rule in alerts() if not rule["annotations"]["summary"]] == []


def test_panels_have_ids_of_their_own_and_queries() -> None:
    assert [file.stem for file in DASHBOARDS] == ["business", "system"]
    for name in ("business", "system"):
        ids = [panel["id"] for dashboard, panel in panels() if dashboard == name]
        assert len(ids) == len(set(ids))
    assert [panel["title"] for _, panel in panels() if not panel["targets"]] == []
    assert len(named_metrics()) > 25


def test_prometheus_scrapes_the_processes_of_compose() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    scraped = yaml.safe_load((RULES / "prometheus.yml").read_text())["scrape_configs"]
    targets = {
        target.split(":")[0]
        for job in scraped
        for static in job["static_configs"]
        for target in static["targets"]
    }

    assert targets == {"api", "worker", "courier"}
    assert targets <= set(compose)
    assert {"prometheus", "grafana"} <= set(compose)


@needs_promtool
def test_promtool_accepts_the_rules_and_their_cases() -> None:
    for command in (
        ("check", "rules", "alerts.yml", "wallet_alerts.yml"),
        ("check", "config", "--syntax-only", "prometheus.yml"),
        ("test", "rules", "alerts_test.yml"),
    ):
        ended = subprocess.run(
            [PROMTOOL or "", *command], cwd=RULES, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
