"""Forms of the console by role: nobody sends one that is not of their work."""

from typing import Final
from uuid import uuid4

import pytest
from fastapi import FastAPI

from db.engine import Database
from referrals.access.console.roles import PERMISSIONS, Permission, Role
from tests.api.bodies import unique
from tests.api.console.signed_in import signed_in

P = Permission
FORMS: Final = {
    f"/console/cases/{uuid4()}/claim": P.DECIDE_CASES,
    f"/console/cases/{uuid4()}/release": P.DECIDE_CASES,
    f"/console/cases/{uuid4()}/notes": P.DECIDE_CASES,
    f"/console/cases/{uuid4()}/decision": P.DECIDE_CASES,
    "/console/campaigns/nothing/fund": P.CHANGE_CAMPAIGNS,
    "/console/campaigns/nothing/defund": P.CHANGE_CAMPAIGNS,
    "/console/campaigns/nothing/edit": P.CHANGE_CAMPAIGNS,
    "/console/campaigns/nothing/publish": P.CHANGE_CAMPAIGNS,
    "/console/campaigns/nothing/withdraw": P.CHANGE_CAMPAIGNS,
    "/console/campaigns/nothing/pause": P.CHANGE_CAMPAIGNS,
    "/console/campaigns/nothing/resume": P.CHANGE_CAMPAIGNS,
    "/console/campaigns/nothing/end": P.CHANGE_CAMPAIGNS,
    f"/console/operations/webhooks/{uuid4()}/deliveries/{uuid4()}/retry": P.RETRY_DELIVERIES,
}
FIELDS: Final = {
    "reason": "a test",
    "text": "a note",
    "decision": "approve",
    "amount": "0.01",
    "reference": "a-test",
    "version": "1",
}


def test_an_auditor_changes_nothing() -> None:
    assert PERMISSIONS[Role.AUDITOR].isdisjoint(FORMS.values())


@pytest.mark.parametrize("role", list(Role))
async def test_a_form_of_anothers_work_is_refused(
    app: FastAPI, database: Database, role: Role
) -> None:
    async with signed_in(app, database, role=role, name=unique("Rita")) as operator:
        home = "/console/search"
        if not PERMISSIONS[role] & {P.SEE_REFERRALS, P.SEE_CAMPAIGNS}:
            home = "/console"
        for path, permission in FORMS.items():
            answer = await operator.sends(path, seen_on=home, **FIELDS)
            expected = 404 if permission in PERMISSIONS[role] else 403
            assert answer.status_code == expected, (path, answer.text)
