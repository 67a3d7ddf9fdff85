"""Signals that reach workflows of the whole stack: honest ones, hostile ones, and floods."""
