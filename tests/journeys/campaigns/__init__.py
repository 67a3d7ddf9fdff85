"""Journeys of campaigns: their life, a marketer's day, offers in files."""
