"""Gauges of the vital signs."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from domain.fraud.rules import Verdict
from domain.ledger.movements import Movement
from domain.lifecycle.referral import Stage
from referrals.reports.vitals import FreeBudget, LaneLag, LastDay, Verified
from referrals.verification.care_runs import Care, NewestCare

QUANTILES: Final = ("0.5", "0.9")


class VitalGauges:
    """Gauges in one registry; what nobody could look at is NaN, never an old value."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, documentation: str, *labels: str) -> Gauge:
            return Gauge(name, documentation, labels, registry=registry)

        self._lag = gauge(
            "referrals_courier_lag_seconds",
            "Age of the oldest fact or delivery that waits for a courier, by lane.",
            "lane",
        )
        self._backlog = gauge(
            "referrals_courier_backlog",
            "Facts or deliveries that wait for a courier, by lane, 10000 at most.",
            "lane",
        )
        self._oldest_fact = gauge(
            "referrals_oldest_unhandled_fact_seconds",
            "Age of the oldest fact that no courier has delivered, or no worker has taken.",
        )
        self._polling = gauge(
            "referrals_workers_polling", "Workers that ask Temporal for tasks; NaN where unknown."
        )
        self._temporal = gauge(
            "referrals_temporal_reachable", "1 if Temporal answered at the last look, or 0."
        )
        self._postgres = gauge(
            "referrals_postgres_reachable", "1 if Postgres answered at the last look, or 0."
        )
        self._green_age = gauge(
            "referrals_verify_green_age_seconds", "Age of the last green verification."
        )
        self._is_red = gauge(
            "referrals_verify_red", "1 if the newest verification found a violation, or 0."
        )
        self._care_age = gauge(
            "referrals_care_age_seconds",
            "Age of the newest result of scheduled care; infinite before the first.",
            "care",
        )
        self._care_findings = gauge(
            "referrals_care_findings",
            "Violations or differences in the newest result of scheduled care.",
            "care",
        )
        self._care_failed = gauge(
            "referrals_care_failed", "1 if the newest try of scheduled care failed, or 0.", "care"
        )
        self._cases = gauge(
            "referrals_cases",
            "Cases by state: `open`; of these `escalated` and `overdue`; and `unfiled` reviews.",
            "state",
        )
        self._budget = gauge(
            "referrals_budget_minor",
            "Budgets in minor units: `funded`, and what is `free` of it.",
            "campaign",
            "currency",
            "part",
        )
        self._stages = gauge(
            "referrals_stage_changes_last_day", "Stages entered in the last 24 hours.", "stage"
        )
        self._verdicts = gauge(
            "referrals_verdicts_last_day", "Assessments of the last 24 hours.", "verdict"
        )
        self._moved = gauge(
            "referrals_moved_last_day_minor",
            "Money moved in the last 24 hours, in minor units.",
            "movement",
            "currency",
        )
        self._converted = gauge(
            "referrals_time_to_credit_last_day_seconds",
            "Time from the invitation to the credit, for credits of the last 24 hours.",
            "quantile",
        )

    def show_unknown(self) -> None:
        """Show that Postgres did not answer, and forget what it said of the facts that wait."""
        self._postgres.set(0)
        self._lag.clear()
        self._backlog.clear()
        self._oldest_fact.set(math.nan)
        self._green_age.set(math.nan)

    def show_lanes(self, lanes: Mapping[str, LaneLag]) -> None:
        self._postgres.set(1)
        for lane, lag in lanes.items():
            self._lag.labels(lane).set(lag.age_s)
            self._backlog.labels(lane).set(lag.waiting)

    def show_oldest_fact(self, age_s: float) -> None:
        self._oldest_fact.set(age_s)

    def show_workers(self, polling: int | None) -> None:
        self._temporal.set(polling is not None)
        self._polling.set(math.nan if polling is None else polling)

    def show_verified(self, verified: Verified) -> None:
        age_s = verified.green_age_s
        self._green_age.set(math.nan if age_s is None else age_s)
        self._is_red.set(verified.is_red)

    def show_care(self, newest: Mapping[Care, NewestCare]) -> None:
        """Show results; reconciliation only where it was ever tried, since it needs a wallet."""
        for kind in Care:
            run = newest.get(kind)
            if run is None and kind is Care.RECONCILIATION:
                continue
            age_s = run.age_s if run else None
            self._care_age.labels(kind.value).set(math.inf if age_s is None else age_s)
            self._care_findings.labels(kind.value).set(run.findings if run else 0)
            self._care_failed.labels(kind.value).set(run.has_failed if run else 0)

    def show_cases(self, cases: Mapping[str, int]) -> None:
        for state, number in cases.items():
            self._cases.labels(state).set(number)

    def show_budgets(self, budgets: Sequence[FreeBudget]) -> None:
        self._budget.clear()
        for budget in budgets:
            parts = {"funded": budget.funded_minor, "free": budget.free_minor}
            for part, minor in parts.items():
                self._budget.labels(budget.campaign, budget.currency, part).set(minor)

    def show_last_day(self, day: LastDay) -> None:
        for stage in Stage:
            self._stages.labels(stage.value).set(day.stages.get(stage, 0))
        for verdict in Verdict:
            self._verdicts.labels(verdict.value).set(day.verdicts.get(verdict, 0))
        for currency in {"USD", *(currency for _, currency in day.moved_minor)}:
            for movement in Movement:
                minor = day.moved_minor.get((movement, currency), 0)
                self._moved.labels(movement.value, currency).set(minor)
        for quantile, value_s in zip(QUANTILES, (day.median_s, day.p90_s), strict=True):
            self._converted.labels(quantile).set(math.nan if value_s is None else value_s)
