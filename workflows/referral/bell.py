"""What wakes a workflow that waits."""

from datetime import datetime, timedelta

from temporalio import workflow


class WakeFlag:
    """Rings when something was heard. Whoever answers looks at the recorded facts themselves."""

    def __init__(self) -> None:
        self.has_rung = False

    def ring(self) -> None:
        self.has_rung = True

    async def rings(self, *, by: datetime) -> bool:
        """Whether it rang, now or before the time was up; answering makes it silent again."""
        # Asked first, because a wait whose time is up already would not look at the condition.
        if not self.has_rung:
            remaining = max(by - workflow.now(), timedelta(0))
            try:
                await workflow.wait_condition(lambda: self.has_rung, timeout=remaining)
            except TimeoutError:
                return False
        self.has_rung = False
        return True
