"""Tests of the console's pages about what campaigns promise."""
