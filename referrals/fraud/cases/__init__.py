"""Cases: doubtful referrals that one person judges together.

Other modules ask for a case about credited referrals with the two functions named here.
"""

from referrals.fraud.cases.requests import open_late_link, open_sample

__all__ = ["open_late_link", "open_sample"]
