"""Answers of POST /v1/events; the bodies are the schemas in `referrals/intake/events`."""

from typing import Literal

from pydantic import Field

from api.v1.schemas.fields import ResponseBody


class Accepted(ResponseBody):
    """An event that is durably stored."""

    event_id: str
    status: Literal["accepted", "duplicate"] = Field(
        description="`duplicate`: this event was stored before, and nothing changed"
    )
