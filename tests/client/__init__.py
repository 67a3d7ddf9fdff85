"""The client and the outbox of docs/integration, against servers on loopback."""
