"""Fixtures of every test: real servers, started once a run."""

import gc

from hypothesis import settings

pytest_plugins = (
    "tests.fixtures.databases",
    "tests.fixtures.api_client",
    "tests.fixtures.temporal",
    "tests.fixtures.kafka",
    "tests.fixtures.real_kafka",
    "tests.fixtures.accounts",
    "tests.fixtures.certificates",
)

# A deadline measures the machine, not the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of garbage collections: a tenth of the CPU."""
    gc.collect()
    gc.freeze()
