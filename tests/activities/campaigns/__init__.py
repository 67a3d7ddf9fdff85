"""Campaigns that change while referrals of them are under way."""
