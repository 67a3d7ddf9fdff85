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
        # Writes a line and its end at once: libraries log to stdout as well, from their threads.
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _render_libraries_alike(shared, level)


def without_content(record: logging.LogRecord) -> bool:
    """Leave out the text of an exception by which Temporal's SDK says what it could not read.

    It quotes the payload, which anyone may have sent. A filter of a handler: returns True.
    """
    fault = record.exc_info[1] if record.exc_info else None
    if fault is not None and record.name.startswith("temporalio") and _may_quote(fault):
        record.msg, record.args = f"{record.getMessage()}: {type(fault).__name__}", None
        record.exc_info = record.exc_text = None
    return True


def _may_quote(fault: BaseException | None) -> bool:
    """Return whether a value that was wrong is among the causes."""
    while fault is not None and not isinstance(fault, ValueError):
        fault = fault.__cause__ or fault.__context__
    return fault is not None


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
    stdout.addFilter(without_content)
    logging.basicConfig(level=_number(level), handlers=[stdout], force=True)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
