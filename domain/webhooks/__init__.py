"""Webhooks: types of events, addresses that may be called, and the schedule of repeats."""
