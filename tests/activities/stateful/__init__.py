"""Random histories of referrals, compared with a model of the money."""
