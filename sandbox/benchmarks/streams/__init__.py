"""Streams: how fast facts of Kafka are stored, routed and added up."""
