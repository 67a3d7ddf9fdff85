"""Tests of the console as HTTP."""
