"""Limits of how fast and how often the courier tries."""
