"""Amounts of rewards: flat, a percentage, tiers, or by jurisdiction."""
