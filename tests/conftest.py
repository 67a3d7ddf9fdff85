"""Fixtures of every test: real servers, started once a run."""

pytest_plugins = (
    "tests.fixtures.databases",
    "tests.fixtures.api_client",
    "tests.fixtures.temporal",
    "tests.fixtures.kafka",
    "tests.fixtures.accounts",
)
