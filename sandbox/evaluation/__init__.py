"""Simulated signups with a known truth: `referrals attribution-eval`."""
