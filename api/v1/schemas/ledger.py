"""What must always be true, and whether it is."""

from api.v1.schemas.fields import ResponseBody


class CheckOut(ResponseBody):
    name: str
    sentence: str
    ok: bool
    failures: list[str]


class LagOut(ResponseBody):
    """What is only late, and the age of the oldest of it in seconds."""

    undelivered: int
    unpublished: int
    oldest_s: float
    awaiting_review: int


class ReportOut(ResponseBody):
    ok: bool
    checks: list[CheckOut]
    lag: LagOut
