"""Export of traces by OpenTelemetry's protocol (OTLP over HTTP), for a process and its time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

from pydantic import Field
from pydantic_settings import BaseSettings

from db import traces
from runtime.environment import FROM_ENVIRONMENT
from runtime.setting_types import UsableUrl

STANDARD_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables of OpenTelemetry that turn traces on, too."""
PATH: Final = "/v1/traces"
MISSING: Final = (
    "traces need the extra `tracing`: pip install 'referrals[tracing]', or set neither"
    " REFERRALS_TRACES_ENDPOINT nor OTEL_EXPORTER_OTLP_ENDPOINT"
)


class TraceSettings(BaseSettings):
    """Settings of what is exported."""

    model_config = FROM_ENVIRONMENT

    traces_endpoint: Annotated[str, Field(pattern=r"^https?://\S+$"), UsableUrl] | None = None
    """Address of a receiver of OTLP over HTTP, such as http://collector:4318; none: no traces."""
    traces_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Part of the traces that is kept."""


class TracingMissingError(Exception):
    """Traces are asked for, and OpenTelemetry is not installed."""


@contextmanager
def traced(settings: TraceSettings, *, process: str) -> Iterator[None]:
    """Export the spans of a process while the block runs; without an endpoint, nothing is loaded.

    Raises TracingMissingError where an endpoint is set and OpenTelemetry is not installed.
    """
    endpoint = settings.traces_endpoint
    if endpoint is None and not any(map(os.environ.get, STANDARD_ENDPOINTS)):
        yield
        return
    try:
        from runtime.traces.opentelemetry_spans import OpenTelemetrySpans  # noqa: PLC0415 - an extra
    except ImportError as fault:
        raise TracingMissingError(MISSING) from fault
    url = f"{endpoint.rstrip('/').removesuffix(PATH)}{PATH}" if endpoint else None
    spans = OpenTelemetrySpans(endpoint=url, ratio=settings.traces_ratio, process=process)
    traces.turn_on(spans)
    try:
        yield
    finally:
        traces.turn_on(None)
        spans.close()
