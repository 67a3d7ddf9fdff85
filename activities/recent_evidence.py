"""Evidence that the act before has just gathered, so that the next one need not gather it again."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from uuid import UUID

from activities.evidence import Gathered

MAX_AGE_S: Final = 5.0
"""Crediting follows scoring at once, in the same process; what came later is gathered anew."""
MAX_ENTRIES: Final = 256


class RecentEvidence:
    """The evidence of the last few scorings of this process, each taken at most once.

    It decides nothing: whoever uses evidence compares its marker under the locks, and gathers it
    there where something was recorded since.
    """

    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._entries: OrderedDict[UUID, tuple[float, Gathered]] = OrderedDict()

    def put(self, referral_id: UUID, gathered: Gathered) -> None:
        self._entries[referral_id] = (self._clock_s(), gathered)
        self._entries.move_to_end(referral_id)
        if len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)

    def take(self, referral_id: UUID) -> Gathered | None:
        """Return what was gathered less than MAX_AGE_S ago, and forget it."""
        if (entry := self._entries.pop(referral_id, None)) is None:
            return None
        gathered_at_s, gathered = entry
        return gathered if self._clock_s() - gathered_at_s < MAX_AGE_S else None
