"""Tests of the workflow, on a real server whose clock skips ahead."""
