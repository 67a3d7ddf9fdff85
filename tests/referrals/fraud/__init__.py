"""Tests of referrals/fraud."""
