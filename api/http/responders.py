"""The type of what answers a request, which routes wrap."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from starlette.responses import Response

Responder = Callable[[Request], Coroutine[Any, Any, Response]]
