"""One spelling for all spellings of a personal value, and what is hashed of it for matching."""

from referrals.intake.normalising.matching import EARLIER, matching_of, matching_text

__all__ = ["EARLIER", "matching_of", "matching_text"]
