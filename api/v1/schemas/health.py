"""Whether the service can do its work, and whether its books are right."""

from typing import Literal

from api.v1.schemas.fields import ResponseBody


class Alive(ResponseBody):
    status: Literal["ok"] = "ok"


class Dependencies(ResponseBody):
    postgres: Literal["ok", "unavailable", "not_migrated"]
    temporal: Literal["ok", "unavailable"]


class Readiness(ResponseBody):
    status: Literal["ready", "not_ready"]
    dependencies: Dependencies
