"""Tests of the acts, on a real Postgres."""
