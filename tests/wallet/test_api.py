"""The API where a wallet holds the balances, as players and callers see it."""

from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from pydantic import SecretStr, ValidationError

from api.app import build_app
from referrals.access.audit import Actor
from referrals.ledger.spending import SpendOutcome, spend
from runtime.settings import Settings, WalletSettings
from tests.builders import NOW, usd
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key
from tests.wallet.world import WalletWorld


@pytest.fixture
async def api(world: WalletWorld, settings: Settings) -> AsyncIterator[AsyncClient]:
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with world.database.transaction() as session:
        key = await create_key(session, owner="tests", scopes=["admin"], actor=actor)
    wallet = {"wallet_url": world.accounts.url, "wallet_token": SecretStr(world.accounts.token)}
    app = build_app(settings.model_copy(update=wallet), world.database)
    async with caller(app, key) as client:
        yield client


@pytest.mark.parametrize("act", ["spend", "unspend"])
async def test_a_spend_is_refused_and_changes_nothing(
    world: WalletWorld, api: AsyncClient, act: str
) -> None:
    acts = await world.rewarded()
    player = acts.row.referrer_id
    async with world.database.transaction() as session:
        before = await spend(session, player_id=player, amount=usd(100), reference="bet-1", at=NOW)
    assert before is SpendOutcome.SPENT
    path = f"/v1/players/{player}"
    body = {"amount": {"minor": 100, "currency": "USD"}, "reference": "bet-1"}
    refused = await api.post(f"{path}/{act}", json=body)

    assert (refused.status_code, refused.json()["code"]) == (409, "external_wallet")
    balance = (await api.get(f"{path}/balance")).json()
    assert balance["available"] == [{"minor": 900, "currency": "USD"}]


async def test_a_player_reads_that_the_reward_is_being_credited(
    world: WalletWorld, api: AsyncClient
) -> None:
    acts = await world.referral()
    invited = await api.get(f"/v1/players/{acts.row.referrer_id}/invited")
    assert invited.json()["items"][0]["reason"] == "being credited"

    shown = (await api.get(f"/v1/referrals/{acts.row.id}")).json()
    assert [hold["reason"] for hold in shown["holds"]] == ["payment_pending"]


async def test_a_refusal_shows_the_wallets_reason(world: WalletWorld, api: AsyncClient) -> None:
    acts = await world.referral()
    await world.accounts.store.close(acts.row.referrer_id)
    await world.settle(acts)

    (hold,) = (await api.get(f"/v1/referrals/{acts.row.id}")).json()["holds"]
    assert (hold["reason"], hold["detail"]) == ("payment_refused", ["account_closed"])


@pytest.mark.parametrize("given", [{"wallet_url": "http://wallet"}, {"wallet_token": "secret"}])
def test_url_and_token_are_set_together(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="set together"):
        WalletSettings.model_validate({"database_url": "postgresql+asyncpg://u@h/d", **given})
