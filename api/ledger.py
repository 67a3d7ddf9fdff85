"""The books, verified on request."""

from db.verify import verify
from fastapi import APIRouter, Depends

from api.dependencies import Db, requires
from api.schemas.ledger import ReportOut

router = APIRouter(
    prefix="/v1/ledger", tags=["ledger"], dependencies=[Depends(requires("ledger:read"))]
)


@router.get("/verify")
async def verify_ledger(database: Db) -> ReportOut:
    """Every invariant, with the rows that break it; what is only late is told as lag."""
    async with database.reading() as session:
        return ReportOut.model_validate(await verify(session))
