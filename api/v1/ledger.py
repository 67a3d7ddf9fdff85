"""The books, verified on request."""

from fastapi import APIRouter, Depends, Request

from api.http.dependencies import requires
from api.v1.schemas.ledger import ReportOut
from api.v1.verification import Verifying

router = APIRouter(
    prefix="/v1/ledger", tags=["ledger"], dependencies=[Depends(requires("ledger:read"))]
)


@router.get("/verify")
async def verify_ledger(request: Request) -> ReportOut:
    """Every invariant, with the rows that break it; what is only late is told as lag.

    It reads whole tables, so those who ask at the same time share one run.
    """
    verifying: Verifying = request.app.state.verifying
    return ReportOut.model_validate(await verifying.report())
