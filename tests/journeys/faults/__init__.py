"""Referrals played while the network to Postgres and to Temporal breaks."""
