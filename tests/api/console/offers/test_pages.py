"""Tests of the pages about a campaign's promise, and of the switches."""

from dataclasses import replace
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.tables import AuditRow, NotificationAttempt, NotificationRow
from domain.campaigns.conditions.reading import read_condition
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.switches import SwitchState
from domain.notifications.messages import Kind
from domain.notifications.sending import AttemptOutcome, NotificationStatus
from referrals.access.console.roles import Role
from referrals.campaigns import switches
from tests.activities.campaigns.test_currencies import begin, know_rate, paid_in, several
from tests.activities.referral_acts import sign_up
from tests.api.bodies import campaign, create_code, publish_campaign, terms, unique
from tests.api.console.signed_in import signed_in
from tests.builders import NOW, TERMS, deposit, usd

NOBODY = "00000000-0000-4000-8000-000000000000"
TENTH = {"to": "referrer", "amount": {"percent": "10"}}
CARD = {"field": "deposit.method", "op": "eq", "value": "card"}
RULES = {
    "rewards": [TENTH],
    "qualifies": {
        "on": "first_deposit",
        "minimum": {"minor": 2000, "currency": "USD"},
    },
    "when": CARD,
    "limits": [{"of": "referrer", "per": "week", "rewards": 3}],
}


def ruled(**changes: object) -> dict[str, object]:
    flat = terms()
    for name in ("referrer_reward", "referee_reward", "minimum_deposit"):
        del flat[name]
    return {**flat, **RULES, **changes}


async def test_a_marketer_reads_the_rules_in_words(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client, terms=ruled())
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        page = (await operator.opens(f"/console/campaigns/{slug}")).text
    for said in (
        "10% of the qualifying deposit",
        "The very first deposit, of at least $20.00, within 30 days of the signup",
        "deposit method is card",
        "A referrer gets at most 3 rewards a week; more waits for the next period",
    ):
        assert said in page


async def test_a_marketer_reads_each_variant_and_what_became_of_its_invitations(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    fifteen = {"referrer_reward": {"minor": 1500, "currency": "USD"}}
    variants = [
        {"name": "control", "weight": 40},
        {"name": "fifteen", "weight": 60, "terms": fifteen},
    ]
    audience = {"allow": ["vip"], "deny": []}
    slug = await publish_campaign(client, variants=variants)
    edit = [variants[0] | {"weight": 50}, variants[1] | {"weight": 50}]
    body = campaign(slug=slug, variants=edit, audience=audience)
    await client.put(f"/v1/campaigns/{slug}", json=body)
    code = await create_code(client, slug)
    click = {"code": code, "visitor_id": unique("visitor"), "platform": "web"}
    assert (await client.post("/v1/clicks", json=click)).status_code == 201
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        page = (await operator.opens(f"/console/campaigns/{slug}?from=1&to=2")).text
        form = (await operator.opens(f"/console/campaigns/{slug}/edit")).text
    assert "40% of the referrers; to the referrer: $10.00" in page
    assert "60% of the referrers; to the referrer: $15.00" in page
    # Once in the history, once in the comparison.
    assert page.count('<td data-label="Field">Variant fifteen</td>') == 2
    assert page.count('<td data-label="Field">Only for segments</td>') == 2
    assert "And by variant" in page
    assert "50% of the referrers; to the referrer: $15.00" in form


async def test_shows_what_differs_between_two_versions(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client, terms=ruled())
    edit = ruled(when={"any": [CARD, {**CARD, "value": "bank"}]})
    answer = await client.put(f"/v1/campaigns/{slug}", json=campaign(slug=slug, terms=edit))
    assert answer.status_code == 200, answer.text
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        page = (await operator.opens(f"/console/campaigns/{slug}?from=1&to=2")).text
        same = (await operator.opens(f"/console/campaigns/{slug}?from=2&to=2")).text
        wrong = (await operator.opens(f"/console/campaigns/{slug}?from=1&to=9")).text
    said = "At least one of these (deposit method is card; deposit method is bank)"
    # Once in the history, once in the comparison.
    assert page.count(said) == 2
    assert page.count('<td data-label="Field">Only if</td>') == 2
    assert "They promise the same" in same
    assert "From version" not in wrong


async def test_explains_a_referral_and_what_it_would_be_paid(
    app: FastAPI, database: Database
) -> None:
    rules = Rules(
        rewards=read_rewards([TENTH], "terms.rewards", currency="USD"),
        when=read_condition(CARD, "terms.when"),
    )
    acts = await sign_up(database, terms=replace(TERMS, referrer_reward=usd(0), rules=rules))
    address = f"/console/campaigns/{acts.row.campaign_slug}/explain?referral={acts.row.id}"
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        assert "No deposit qualifies" in (await operator.opens(address)).text
        await acts.receives(deposit(acts.referee_id, minor=3000, method="card"))
        page = (await operator.opens(address)).text
    for said in (
        "A deposit qualifies",
        "deposit method is card",
        "$3.00",
        "10% of the qualifying deposit; a deposit of $30.00; friend 1",
    ):
        assert said in page


async def test_explains_kind_and_rate_of_a_reward(app: FastAPI, database: Database) -> None:
    await know_rate(database, "AUD", "1.5")
    tenth = read_rewards([TENTH | {"kind": "bonus_bet"}], "", currency="USD")
    terms = several("AUD")
    rules = replace(terms.rules, rewards=(*terms.rules.rewards, *tenth))
    acts = await begin(database, replace(terms, rules=rules), AUD=10_000)
    await acts.receives(paid_in(acts, 4000, "AUD"))
    address = f"/console/campaigns/{acts.row.campaign_slug}/explain?referral={acts.row.id}"
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        page = (await operator.opens(address)).text
    for said in ("A$15.00", "A$4.00", "converted at 1.5, bank-", "bonus bet", "cash"):
        assert said in page


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ("referral=nobody", 422, "Paste the whole id of a referral"),
        (f"referral={NOBODY}", 404, "This campaign has no such referral"),
        ("referral={known}&version=99", 422, "Write a version of this campaign"),
        ("referral={known}&version=1.5", 422, "Write the number of a version"),
    ],
)
async def test_says_what_of_an_explanation_is_wrong(
    app: FastAPI, database: Database, asked: str, status: int, says: str
) -> None:
    acts = await sign_up(database)
    address = f"/console/campaigns/{acts.row.campaign_slug}/explain"
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        answer = await operator.opens(f"{address}?{asked.format(known=acts.row.id)}")
    assert answer.status_code == status
    assert says in answer.text


async def test_simulates_a_period_by_a_version(app: FastAPI, database: Database) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id, minor=3000))
    address = f"/console/campaigns/{acts.row.campaign_slug}/simulate?version=1"
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        page = (await operator.opens(f"{address}&from=2026-01-01&to=2027-01-01")).text
        assert "reported about them: 1;" in page
        assert "the version's terms: 1." in page
        assert str(acts.row.id) in page
        assert f"/console/referrals/{acts.row.id}" not in page
        for dates, says in (
            ("from=2026-01-02&to=2026-01-02", "Choose a day after the first one"),
            ("from=soon&to=2026-01-02", "Choose a day, such as 2026-03-01"),
            ("from=0001-01-01&to=2026-01-02", "Choose a day of this century"),
        ):
            refused = await operator.opens(f"{address}&{dates}")
            assert (refused.status_code, says in refused.text) == (422, True)


async def test_a_marketer_turns_a_switch_off_and_on_with_reasons(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug, name = await publish_campaign(client), unique("Mara")
    home, scope = f"/console/campaigns/{slug}", f"campaign:{slug}"
    async with signed_in(app, database, role=Role.MARKETER, name=name) as operator:
        for state, reason in (("off", "the offer is wrong"), ("on", "it is right again")):
            fields = {"scope": scope, "state": state, "reason": reason}
            answer = await operator.sends("/console/switches", seen_on=home, **fields)
            assert answer.headers["location"] == f"/console/switches?done=switch_{state}"
            async with database.reading() as session:
                found = await switches.find_switch(session, scope)
            assert found is not None
            assert (found.state, found.switched_by) == (SwitchState(state), name)
            page = (await operator.opens(home)).text
            assert ("kill switch</a> is off" in page) is (state == "off")
        assert scope in (await operator.opens("/console/switches?format=csv")).text
    async with database.reading() as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.subject == f"switch:{scope}"))
        done = sorted((row.action, row.actor, row.reason) for row in rows)
    assert done == [
        ("switch.off", name, "the offer is wrong"),
        ("switch.on", name, "it is right again"),
    ]


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"scope": "everything", "state": "off"}, 422, "Write all, campaign:SLUG"),
        ({"scope": "all", "state": "maybe"}, 422, "Choose on or off"),
        ({"scope": "campaign:there-is-none", "state": "off"}, 404, "slug"),
    ],
)
async def test_turns_nothing_that_is_written_wrong(
    app: FastAPI, database: Database, fields: dict[str, str], status: int, says: str
) -> None:
    async with signed_in(app, database, role=Role.ADMIN, name=unique("Ada")) as operator:
        answer = await operator.sends(
            "/console/switches", seen_on="/console/switches", reason="a test", **fields
        )
    assert answer.status_code == status
    assert says in answer.text


async def test_support_sees_the_switches_and_turns_none(app: FastAPI, database: Database) -> None:
    async with signed_in(app, database, role=Role.SUPPORT, name=unique("Sue")) as operator:
        page = await operator.opens("/console/switches")
        assert (page.status_code, "Switch off" in page.text) == (200, False)
        fields = {"scope": "all", "state": "off", "reason": "curious"}
        answer = await operator.sends("/console/switches", seen_on="/console/switches", **fields)
        assert answer.status_code == 403


async def test_a_referrals_page_shows_the_messages_to_its_players(
    app: FastAPI, database: Database
) -> None:
    acts = await sign_up(database)
    message_id = uuid4()
    async with database.transaction() as session:
        session.add(
            NotificationRow(
                id=message_id,
                event_id=uuid4(),
                referral_id=acts.row.id,
                player_id=acts.row.referrer_id,
                kind=Kind.DEPOSIT_REMINDER,
                message={},
                caused_at=NOW,
                status=NotificationStatus.SUPPRESSED,
            )
        )
        await session.flush()
        session.add(
            NotificationAttempt(
                notification_id=message_id,
                at=NOW,
                outcome=AttemptOutcome.SUPPRESSED,
                reason="opted_out",
            )
        )
    async with signed_in(app, database, role=Role.SUPPORT, name=unique("Sue")) as operator:
        page = (await operator.opens(f"/console/referrals/{acts.row.id}")).text
    for said in ("deposit reminder", "suppressed", "opted out"):
        assert said in page
