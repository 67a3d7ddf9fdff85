"""Health and readiness of the API."""

from httpx import AsyncClient


async def test_is_alive_without_a_key(client: AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_is_ready_with_postgres_though_temporal_is_away(client: AsyncClient) -> None:
    answer = await client.get("/readyz", headers={"Authorization": ""})
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert answer.json()["dependencies"]["postgres"] == "ok"


async def test_metrics_name_routes_and_not_paths(client: AsyncClient) -> None:
    await client.get("/v1/codes/NOBODYHASIT")
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert 'route="/v1/codes/{code}"' in answer.text
    assert "NOBODYHASIT" not in answer.text
