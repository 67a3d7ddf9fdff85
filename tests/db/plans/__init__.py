"""Plans of statements: what they read, in tables where much is done, and for many rows at once."""
