"""Connections to Temporal."""
