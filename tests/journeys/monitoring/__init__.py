"""Journeys of whoever watches the system."""
