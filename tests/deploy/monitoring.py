"""The dashboards and alert rules of deploy/, and the metrics that they name."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from tests import ROOT

RULES: Final = ROOT / "deploy/prometheus"
DASHBOARDS: Final = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
METRIC: Final = re.compile(r"\b((?:referrals|temporal|http)_[a-z0-9_]+)\b(?!\s*=)")
"""A metric's name; a label that is compared is not one."""


def alerts() -> list[dict[str, Any]]:
    files = sorted(RULES.glob("*alerts.yml"))
    loaded = (yaml.safe_load(file.read_text()) for file in files)
    return [rule for content in loaded for group in content["groups"] for rule in group["rules"]]


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return each panel with the name of its dashboard; rows have no queries."""
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            if panel["type"] != "row":
                yield file.stem, panel


def named_metrics() -> dict[str, set[str]]:
    """Return each metric that is named, with the alerts and panels that name it."""
    found: dict[str, set[str]] = {}
    sources = [(rule["alert"], rule["expr"]) for rule in alerts()]
    sources += [
        (f"{name}: {panel['title']}", target["expr"])
        for name, panel in panels()
        for target in panel["targets"]
    ]
    for source, expression in sources:
        for metric in METRIC.findall(expression):
            found.setdefault(metric, set()).add(source)
    return found
