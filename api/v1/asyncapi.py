"""The AsyncAPI document: what this service reads from Kafka and publishes there.

`python -m api.v1.asyncapi > docs/events.md` renders it.
"""

import functools
import sys
from typing import Any

from fastapi import APIRouter

from api.http.examples import BODY_EXAMPLES
from messaging.asyncapi import build_document
from messaging.asyncapi_page import render

router = APIRouter(tags=["documents"])


@functools.cache
def document() -> dict[str, Any]:
    return build_document(BODY_EXAMPLES)


@router.head("/asyncapi.json", include_in_schema=False)
@router.get("/asyncapi.json", include_in_schema=False)
async def show_asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of every topic. Needs no API key, as /openapi.json."""
    return document()


if __name__ == "__main__":
    sys.stdout.write(render(document()))
