"""The result of a verification as a table for people."""

from rich.console import Console
from rich.table import Table

from referrals.verification.verify import VerificationReport


def print_report(report: VerificationReport) -> None:
    table = Table("check", "holds", "what must be true, or which rows break it")
    for check in report.checks:
        shown = check.sentence if check.ok else ", ".join(check.failures)
        table.add_row(check.name, "yes" if check.ok else "NO", shown)
    console, lag = Console(), report.lag
    console.print(table)
    looked_at = "everything" if report.mode == "whole" else "what changed since the last green run"
    stored = "" if report.is_stored else "; not stored, because this database only reads"
    console.print(f"looked at {looked_at}{stored}")
    console.print(
        f"late, not wrong: {lag.undelivered} undelivered (oldest {lag.oldest_s:.1f} s),"
        f" {lag.overdue} overdue, {lag.awaiting_review} awaiting review"
    )
