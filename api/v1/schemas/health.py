"""Whether the service can do its work, and whether its books are right."""

from typing import Literal

from api.v1.schemas.fields import Shown


class Alive(Shown):
    status: Literal["ok"] = "ok"


class Dependencies(Shown):
    postgres: Literal["ok", "unavailable", "not_migrated"]
    temporal: Literal["ok", "unavailable"]


class Readiness(Shown):
    status: Literal["ready", "not_ready"]
    dependencies: Dependencies
