"""Tests of referrals/intake/normalising."""
