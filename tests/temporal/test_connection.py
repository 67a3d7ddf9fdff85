"""Connections to Temporal: by our settings or the SDK's; TLS, client certificate, key and codec."""

import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec
from temporalio.service import RPCError, TLSConfig
from temporalio.testing import WorkflowEnvironment

from runtime.settings import Settings
from tests.fixtures.certificates import Authority
from tests.proxies.encrypting import EncryptingProxy, encrypting_proxy
from workflows.connection import TemporalServer, connect_to
from workflows.temporal_probe import TemporalProbe

MODULE = "tests.temporal.test_connection"


class Reversed(PayloadCodec):
    """A codec that nobody should use."""

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [Payload(metadata=p.metadata, data=p.data[::-1]) for p in payloads]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return await self.encode(payloads)


@pytest.fixture(autouse=True)
def no_sdk_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [n for n in os.environ if n.startswith("TEMPORAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))


def read(settings: Settings, **values: Any) -> TemporalServer:  # noqa: ANN401 - of any setting
    given = {
        "database_url": settings.database_url,
        "hash_key": "a key for tests, not a secret",
        "token_key": "another key for tests",
        "public_url": "https://refer.example",
    }
    return Settings.model_validate(given | values).temporal


def test_plain_by_default(settings: Settings) -> None:
    server = read(settings, temporal_address="127.0.0.1:7233")

    assert (server.address, server.namespace, server.tls) == ("127.0.0.1:7233", "default", False)


def test_an_api_key_encrypts(settings: Settings) -> None:
    server = read(settings, temporal_address="a.tmprl.cloud:7233", temporal_api_key="key")

    assert (server.api_key, server.tls) == ("key", True)
    assert "key" not in repr(server)


def test_reads_the_sdk_s_environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "a.tmprl.cloud:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "prod.acct")
    monkeypatch.setenv("TEMPORAL_API_KEY", "key")
    server = read(settings)

    assert (server.address, server.namespace) == ("a.tmprl.cloud:7233", "prod.acct")
    assert (server.api_key, bool(server.tls)) == ("key", True)


def test_reads_a_profile_of_the_sdk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "temporal.toml").write_text(
        '[profile.prod]\naddress = "a.example:7233"\nnamespace = "theirs"\n'
        '[profile.prod.tls]\nserver_name = "inner.example"\n'
    )
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
    monkeypatch.setenv("TEMPORAL_PROFILE", "prod")
    server = read(settings, temporal_namespace="ours")

    assert (server.address, server.namespace) == ("a.example:7233", "ours")
    assert isinstance(server.tls, TLSConfig)
    assert server.tls.domain == "inner.example"


@pytest.mark.parametrize("written", ["[::1]:7233", "bücher.example:7233", "a.example:7233\n"])
def test_an_address_is_read_as_it_is_written(settings: Settings, written: str) -> None:
    assert read(settings, temporal_address=written).address == written.strip()


def test_our_address_leaves_the_sdk_s_configuration_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "a.tmprl.cloud:7233")
    monkeypatch.setenv("TEMPORAL_API_KEY", "key")
    server = read(settings, temporal_address="127.0.0.1:7233")

    assert (server.address, server.api_key, server.tls) == ("127.0.0.1:7233", None, False)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, "REFERRALS_TEMPORAL_ADDRESS"),
        ({"temporal_address": "https://a.example:7233"}, "host:port"),
        ({"temporal_address": "a.example"}, "host:port"),
        ({"temporal_address": "a.example:0"}, "host:port"),
        ({"temporal_address": "a.example:99999"}, "host:port"),
        ({"temporal_address": "a.example:7233,b.example:7233"}, "host:port"),
        ({"temporal_address": "::1:7233"}, "host:port"),
        ({"temporal_address": "a:1", "temporal_tls_cert_file": __file__}, "TLS_KEY_FILE"),
        ({"temporal_address": "a:1", "temporal_tls_ca_file": "/nowhere.pem"}, "/nowhere.pem"),
        (
            {"temporal_address": "a:1", "temporal_tls": "no", "temporal_tls_ca_file": __file__},
            "TLS",
        ),
        ({"temporal_address": "a:1", "temporal_payload_codec": "nowhere:Codec"}, "CODEC"),
        ({"temporal_address": "a:1", "temporal_payload_codec": f"{MODULE}:read"}, "CODEC"),
        ({"temporal_address": "a:1", "temporal_payload_codec": "builtins:dict"}, "CODEC"),
    ],
)
def test_refuses_at_the_start(settings: Settings, values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        read(settings, **values)


@pytest.fixture
async def front(
    temporal_env: WorkflowEnvironment, authority: Authority
) -> AsyncIterator[EncryptingProxy]:
    """Put TLS with client certificates before the server."""
    port = int(temporal_env.client.service_client.config.target_host.rpartition(":")[2])
    async with encrypting_proxy(
        authority, upstream_port=port, needs_client_certificate=True
    ) as proxy:
        yield proxy


async def test_connects_with_a_client_certificate_and_a_key(
    settings: Settings, front: EncryptingProxy, authority: Authority
) -> None:
    issued = authority.issue("our-worker")
    server = read(
        settings,
        temporal_address=f"127.0.0.1:{front.port}",
        temporal_tls_ca_file=authority.root,
        temporal_tls_cert_file=issued.certificate,
        temporal_tls_key_file=issued.key,
        temporal_tls_server_name="localhost",
        temporal_api_key="key",
    )
    for lazy in (False, True):
        client = await connect_to(server, lazy=lazy)
        assert await client.service_client.check_health()

    assert await TemporalProbe(server).ask() == "ok"
    assert set(front.clients) == {"our-worker"}


async def test_a_server_of_another_authority_is_refused(
    settings: Settings, front: EncryptingProxy, authority: Authority, tmp_path: Path
) -> None:
    other = Authority.create(tmp_path / "other", name="another authority")
    issued = authority.issue("our-courier")
    server = read(
        settings,
        temporal_address=f"127.0.0.1:{front.port}",
        temporal_tls_ca_file=other.root,
        temporal_tls_cert_file=issued.certificate,
        temporal_tls_key_file=issued.key,
    )
    client = await connect_to(server)
    with pytest.raises((RuntimeError, RPCError)):
        await client.service_client.check_health()

    assert await TemporalProbe(server).ask() == "unavailable"


async def test_a_codec_encodes_what_workflows_are_given(
    settings: Settings, temporal_env: WorkflowEnvironment
) -> None:
    address = temporal_env.client.service_client.config.target_host
    server = read(settings, temporal_address=address, temporal_payload_codec=f"{MODULE}:Reversed")
    client = await connect_to(server)

    (payload,) = await client.data_converter.encode(["a secret"])
    assert payload.data == b'"terces a"'
    assert await client.data_converter.decode([payload]) == ["a secret"]
