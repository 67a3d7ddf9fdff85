"""Commands of an operator that run once and print."""
