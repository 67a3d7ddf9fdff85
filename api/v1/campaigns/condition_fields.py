"""The fields that campaigns' conditions may name."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from api.http.authorisation import requires
from api.v1.schemas.fields import ResponseBody
from domain.campaigns.conditions.fields import FIELDS, FieldType, Operator
from referrals.campaigns.wording.condition_words import ConditionWording
from referrals.localisation.languages import LanguageTag

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])
CAN_READ = Depends(requires("campaigns:write", "campaigns:publish", "reports:read"))


class ConditionFieldOut(ResponseBody):
    """A field of conditions."""

    field: str = Field(description="Name that conditions write", examples=["deposit.amount"])
    label: str = Field(
        description="Name for people, in the asked language", examples=["deposit amount"]
    )
    type: FieldType = Field(description="Type of its values")
    unit: str | None = Field(description="Unit of its values, where they have one")
    operators: list[Operator] = Field(description="Operators that `op` may name")
    description: str = Field(description="What the value is")


class ConditionFieldsOut(ResponseBody):
    """All fields of conditions."""

    items: list[ConditionFieldOut]


@router.get("/fields", dependencies=[CAN_READ])
async def list_condition_fields(
    language: Annotated[LanguageTag, Query(description="Language of the fields' `label`")] = (
        LanguageTag.ENGLISH
    ),
) -> ConditionFieldsOut:
    """List the fields that conditions may name, with their types and operators.

    On an unknown value, only `exists`, `ne` and `not_in` can hold.
    """
    wording = ConditionWording.in_language(language)
    items = [
        ConditionFieldOut(
            field=field.name,
            label=wording.label(field.name),
            type=field.type,
            unit=field.unit,
            operators=list(field.operators),
            description=field.description,
        )
        for field in FIELDS.values()
    ]
    return ConditionFieldsOut(items=items)
