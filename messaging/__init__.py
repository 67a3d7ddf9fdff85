"""Kafka: events in from the sportsbook's services, events out to whoever follows referrals."""
