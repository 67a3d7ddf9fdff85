"""Logging of every process as JSON lines."""

import logging
import sys

import structlog


def configure_logging(level: str) -> None:
    """Log JSON lines with the bound contextvars to stdout; raise KeyError for an unknown level."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(sort_keys=True)],
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        cache_logger_on_first_use=True,
    )
    _render_libraries_alike(shared, level)


def _render_libraries_alike(shared: list[structlog.typing.Processor], level: str) -> None:
    renderer = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
    )
    stdout = logging.StreamHandler(sys.stdout)
    stdout.setFormatter(renderer)
    logging.basicConfig(level=_number(level), handlers=[stdout], force=True)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
