"""One spelling for all spellings of a personal value, and what is hashed of it for matching."""

from referrals.intake.normalising.matching import EARLIER, matching_of, matching_text
from referrals.intake.normalising.phones import is_international

__all__ = ["EARLIER", "is_international", "matching_of", "matching_text"]
