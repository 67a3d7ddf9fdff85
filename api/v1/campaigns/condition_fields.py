"""The fields that campaigns' conditions may name."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from api.http.authorisation import requires
from api.v1.schemas.fields import ResponseBody
from domain.campaigns.conditions.fields import FIELDS, FieldType, Operator

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])
CAN_READ = Depends(requires("campaigns:write", "campaigns:publish", "reports:read"))


class ConditionFieldOut(ResponseBody):
    """A field of conditions."""

    field: Annotated[str, Field(validation_alias="name", examples=["deposit.amount"])]
    type: FieldType = Field(description="Type of its values")
    unit: str | None = Field(description="Unit of its values, where they have one")
    operators: list[Operator] = Field(description="Operators that `op` may name")
    description: str = Field(description="What the value is")


class ConditionFieldsOut(ResponseBody):
    """All fields of conditions."""

    items: list[ConditionFieldOut]


@router.get("/fields", dependencies=[CAN_READ])
async def list_condition_fields() -> ConditionFieldsOut:
    """List the fields that conditions may name, with their types and operators.

    On an unknown value, only `exists`, `ne` and `not_in` can hold.
    """
    items = [ConditionFieldOut.model_validate(field) for field in FIELDS.values()]
    return ConditionFieldsOut(items=items)
