"""Tests of amounts: reading and computation."""
