"""The world of workflow tests: a server, a database, a worker, and steps of lives in it."""
