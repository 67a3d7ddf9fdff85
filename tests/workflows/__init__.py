"""Tests of the story, on a real server whose clock skips ahead."""
