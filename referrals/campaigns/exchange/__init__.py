"""Exchange: rate tables as rows, and those that count for a referral."""
