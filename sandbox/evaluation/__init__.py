"""How people come to sign up, simulated with known truth: `referrals attribution-eval`."""
