"""Exchange: rate tables, and terms in each currency of a campaign."""
