"""Tests of conditions: reading, reach, evaluation."""
