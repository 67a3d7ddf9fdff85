"""Webhooks: endpoints of other services, and the deliveries of events to them."""
