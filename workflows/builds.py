"""Builds of the worker, which Temporal records with each workflow task that one completes."""

from typing import Final

from temporalio import workflow

_IN_PLACE: Final = "+acts-in-place"
BUILD_ID: Final = f"referrals{_IN_PLACE}"
"""The build of workers that try acts in place; before 0.3 it was a hash of their code."""


def acts_in_place() -> bool:
    """Return whether the present workflow task tries acts as local activities first.

    A replay gets the answer of the worker that completed the task, so that workers of both kinds
    can run side by side, and histories of earlier releases replay.
    """
    return workflow.info().get_current_build_id().endswith(_IN_PLACE)
