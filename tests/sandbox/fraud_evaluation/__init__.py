"""The population with known rings."""
