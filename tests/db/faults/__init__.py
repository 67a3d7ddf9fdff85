"""Postgres that freezes, only reads, or is reached in odd ways."""
