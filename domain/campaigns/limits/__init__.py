"""Limits of rewards: calendar periods, and what is paid, deferred or refused."""
