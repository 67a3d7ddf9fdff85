"""What must always be true, and whether it is."""

from api.v1.schemas.fields import Shown


class CheckOut(Shown):
    name: str
    sentence: str
    ok: bool
    failures: list[str]


class LagOut(Shown):
    """What is only late, and the age of the oldest of it in seconds."""

    undelivered: int
    unpublished: int
    oldest_s: float
    awaiting_review: int


class ReportOut(Shown):
    ok: bool
    checks: list[CheckOut]
    lag: LagOut
