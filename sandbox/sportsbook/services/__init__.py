"""The sportsbook's signup and payments services, each with a database and an outbox of its own."""
