"""A simulated population with rings and honest look-alikes: `referrals fraud-eval`."""
