"""Verdicts of fraud assessments."""

from enum import StrEnum


class Verdict(StrEnum):
    PASS = "pass"
    SAMPLE = "sample"
    """Passes, and is reviewed all the same, to measure what is missed."""
    REVIEW = "review"
    BLOCK = "block"
