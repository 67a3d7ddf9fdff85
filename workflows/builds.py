"""Builds of the worker, which Temporal records with each workflow task that one completes."""

from typing import Final

from temporalio import workflow

_IN_PLACE: Final = "+acts-in-place"
_ASKING: Final = "+asks-providers"
_AT_ONCE: Final = "+scores-and-credits-at-once"
BUILD_ID: Final = f"referrals{_AT_ONCE}{_IN_PLACE}"
"""The build of workers that try acts in place, and score and credit in one act; before 0.3 it was a
hash of their code."""
ASKING_BUILD_ID: Final = f"referrals{_ASKING}{_IN_PLACE}"
"""The build of workers that try acts in place, but for those that ask fraud providers."""


def acts_in_place() -> bool:
    """Return whether the present workflow task tries acts as local activities first.

    A replay gets the answer of the worker that completed the task, so that workers of both kinds
    can run side by side, and histories of earlier releases replay.
    """
    return workflow.info().get_current_build_id().endswith(_IN_PLACE)


def scores_and_credits_at_once() -> bool:
    """Return whether the present workflow task scores and credits in one act.

    Such a task tries acts in place. Where fraud providers are asked, scoring is an act of its own,
    on a queue of its own. A replay gets the answer of the worker that completed the task, as above.
    """
    return _AT_ONCE in workflow.info().get_current_build_id()


def provider_queue() -> str | None:
    """Return the queue to which the present workflow task hands acts that ask fraud providers.

    None where none are asked. As with `acts_in_place`, a replay gets the answer of the worker that
    completed the task.
    """
    info = workflow.info()
    return provider_queue_of(info.task_queue) if _ASKING in info.get_current_build_id() else None


def provider_queue_of(task_queue: str) -> str:
    """Return the task queue of acts that ask fraud providers; each worker polls it, too."""
    return f"{task_queue}-providers"
