"""Names of the changes of the workflow that its histories know; they never change."""

from typing import Final

DRAIN_PATCH: Final = "news that came while crediting no longer keeps the long history"
STANDING_PATCH: Final = "a signalled standing is believed only where it is that of a signup"
RENEW_PATCH: Final = "a long history continues as new wherever nothing is unread"
REOPEN_PATCH: Final = "a run that finds its referral re-opened as it ends goes on"
CUT_PATCH: Final = "what the other doors cut in an event is cut in a signal, too"
