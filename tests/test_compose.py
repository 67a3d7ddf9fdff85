"""docker-compose.yml and Dockerfile against the settings and the command line."""

import re
import subprocess
import sys
from typing import Any, Final

import pytest
import typer
import yaml
from fastapi import FastAPI

import cli
from api.app import SHUTDOWN_GRACE_S, server_config
from runtime.care_settings import CareSettings, RetentionSettings
from runtime.key_settings import KeySettings
from runtime.settings import (
    ClientSettings,
    ErasureSettings,
    MigrationSettings,
    Settings,
    WalletSettings,
)
from stack.kafka import TOPICS
from stack.kafka_jvm import POM
from tests import ROOT
from worker import SHUTDOWN_TIMEOUT

COMMANDS: Final = set(typer.main.get_group(cli.app).commands)
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = {
    "api": Settings,
    "worker": Settings,
    "courier": Settings,
    "verifier": CareSettings,
    "migrate": MigrationSettings,
}

OPTIONAL_SECRETS: Final = {
    "REFERRALS_TEMPORAL_API_KEY",
    "REFERRALS_CHECKPOINT_KEY",
    "REFERRALS_API_KEY",
}
BESIDE_SETTINGS: Final = {"api": {"FORWARDED_ALLOW_IPS", "CLICKHOUSE_URL"}}
"""Read by the server itself, and by the command."""
ROW_OF_A_SETTING: Final = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)
NAMES_A_FILE: Final = re.compile(r"_FILE$|_DIRECTORY$|_NETWORK_DATABASE$")


def variable(field: str) -> str:
    return f"REFERRALS_{field.upper()}"


@pytest.mark.parametrize(("name", "settings"), OURS.items())
def test_gives_no_variable_that_nobody_reads(name: str, settings: type[Settings]) -> None:
    known = {variable(field) for field in settings.model_fields}

    assert set(SERVICES[name]["environment"]) <= known | BESIDE_SETTINGS.get(name, set())


@pytest.mark.parametrize(("name", "settings"), OURS.items())
def test_gives_every_variable_without_a_default(name: str, settings: type[Settings]) -> None:
    required = {variable(k) for k, field in settings.model_fields.items() if field.is_required()}

    assert required <= set(SERVICES[name]["environment"])


def test_gives_every_setting_to_a_container() -> None:
    given = {name for service in OURS for name in SERVICES[service]["environment"]}

    assert {variable(field) for field in Settings.model_fields} <= given


def test_what_the_page_of_settings_lists_reaches_a_container() -> None:
    listed = set(ROW_OF_A_SETTING.findall((ROOT / "docs/settings.md").read_text()))
    given = {name for service in OURS for name in SERVICES[service]["environment"]}
    of_commands = {variable("keys_database_url"), variable("api_url"), variable("api_key")}

    assert "CLICKHOUSE_URL" in listed
    assert listed - given == of_commands
    assert of_commands <= set(SERVICES["operator"]["environment"])


def test_the_operator_may_run_every_command() -> None:
    operator = SERVICES["operator"]
    fields = {
        *ErasureSettings.model_fields,
        *WalletSettings.model_fields,
        *RetentionSettings.model_fields,
        *KeySettings.model_fields,
        *ClientSettings.model_fields,
    }
    read = {"CLICKHOUSE_URL", *COMPOSE["x-addresses"], *map(variable, fields)}

    assert set(operator["environment"]) == read
    assert names_of_profile("operator") == {"operator"}
    assert not operator.get("ports")


def test_a_container_sees_the_files_that_its_settings_name() -> None:
    (only_read,) = COMPOSE["x-ours"]["volumes"]
    assert only_read.endswith(":/files:ro")
    for name in ("api", "worker", "courier", "verifier", "operator"):
        service = SERVICES[name]
        assert any(NAMES_A_FILE.search(given) for given in service["environment"])
        writes = name in {"courier", "verifier", "operator"}
        assert service["volumes"] == [only_read.removesuffix(":ro") if writes else only_read]


@pytest.mark.parametrize("name", ["api", "worker", "courier"])
def test_gives_every_process_what_all_of_them_read(name: str) -> None:
    assert set(COMPOSE["x-addresses"]) <= set(SERVICES[name]["environment"])


def test_a_service_on_the_host_reaches_kafka_under_the_address_that_it_is_told() -> None:
    kafka = SERVICES["kafka"]
    told = dict(
        listener.split("://")
        for listener in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    )
    host, port = told["HOST"].split(":")

    assert f"{host}:{port}:{port}" in kafka["ports"]
    assert f"HOST://:{port}" in kafka["environment"]["KAFKA_LISTENERS"].split(",")
    assert "HOST:PLAINTEXT" in kafka["environment"]["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(
        ","
    )


def test_a_variable_that_was_left_empty_is_not_set() -> None:
    empty = {
        name
        for service in ("api", "worker", "courier")
        for name, value in SERVICES[service]["environment"].items()
        if ":-}" in str(value)
    }
    required = {variable(k): "x" * 16 for k, f in Settings.model_fields.items() if f.is_required()}
    required |= {
        variable("database_url"): "postgresql+asyncpg://someone@127.0.0.1/referrals",
        variable("temporal_address"): "127.0.0.1:7233",
        variable("public_url"): "https://refer.example",
    }
    show = (
        "from runtime.settings import Settings;"
        " print(Settings().model_dump(exclude_unset=True).keys())"
    )
    shown = subprocess.run(
        [sys.executable, "-c", show],
        env=required | dict.fromkeys(empty, ""),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {variable("ios_app_id"), variable("kafka_properties")} <= empty
    given = {name for name in required if name.lower().removeprefix("referrals_") in shown.stdout}
    assert given == set(required)
    assert [n for n in empty if f"'{n.lower().removeprefix('referrals_')}'" in shown.stdout] == []


def test_gives_every_process_time_to_finish() -> None:
    chart = yaml.safe_load((ROOT / "deploy/helm/referrals/values.yaml").read_text())
    longest_s = max(SHUTDOWN_TIMEOUT.total_seconds(), SHUTDOWN_GRACE_S)
    for name in ("api", "worker", "courier", "verifier"):
        given = re.fullmatch(r"(\d+)s", SERVICES[name]["stop_grace_period"])
        assert given is not None
        assert int(given[1]) >= 2 * longest_s, name
    assert chart["terminationGracePeriodSeconds"] >= 2 * longest_s


def test_keeps_idle_connections_longer_than_proxies_do(settings: Settings) -> None:
    longest_of_proxies_s = 600  # Google's load balancers; nginx and Amazon's have 60
    assert server_config(settings, FastAPI()).timeout_keep_alive > longest_of_proxies_s


@pytest.mark.parametrize("name", [name for name in OURS if name != "verifier"])
def test_runs_commands_that_exist(name: str) -> None:
    assert SERVICES[name]["command"] == [name]
    assert name in COMMANDS


def test_verifies_on_a_schedule_with_what_it_reads_alone() -> None:
    verifier = SERVICES["verifier"]
    assert verifier["command"] == ["verify", "--every", "300"]
    assert "verify" in COMMANDS
    assert set(verifier["environment"]) == {variable(k) for k in CareSettings.model_fields}


def test_keeps_the_owners_password_from_the_serving_processes() -> None:
    for name in ("api", "worker", "courier", "verifier"):
        assert variable("owner_database_url") not in SERVICES[name]["environment"]


def test_has_no_default_for_a_secret() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|KEY))\b([^}]*)\}", text)

    assert secrets
    assert {name for name, rest in secrets if rest != f":?set {name}"} <= OPTIONAL_SECRETS
    assert {rest for name, rest in secrets if name in OPTIONAL_SECRETS} == {":-"}


def test_makes_every_topic_before_the_courier_starts() -> None:
    made = SERVICES["kafka-topics"]["environment"]["TOPICS"].split()
    assert sorted(made) == sorted(TOPICS)
    assert "kafka-topics" in SERVICES["courier"]["depends_on"]


def test_runs_the_versions_of_kafka_and_debezium_that_are_tested() -> None:
    pom = POM.read_text()
    for service, variable_, name in (
        ("kafka", "KAFKA_VERSION", "kafka.version"),
        ("connect", "DEBEZIUM_VERSION", "debezium.version"),
    ):
        (version,) = re.findall(f"<{name}>(.+)</{name}>", pom)
        tag = SERVICES[service]["image"].partition("@")[0].rstrip("}")
        assert tag.endswith(f":${{{variable_}:-{version}")


def test_gives_the_connector_every_variable_that_its_configuration_names() -> None:
    named = re.findall(r"\$\{env:(\w+)\}", (ROOT / "deploy/connect/outbox.json").read_text())
    assert named
    assert set(named) <= set(SERVICES["connect"]["environment"])


def test_debezium_runs_only_when_asked_for() -> None:
    assert names_of_profile("debezium") == {"connect", "connect-database", "connect-outbox"}
    assert SERVICES["courier"]["environment"][variable("events_publisher")].endswith(":-relay}")


def test_watches_itself_only_when_asked_for() -> None:
    assert names_of_profile("monitoring") == {"prometheus", "grafana"}


@pytest.mark.parametrize("name", SERVICES)
def test_binds_to_the_loopback_interface_only(name: str) -> None:
    ports = SERVICES[name].get("ports", [])

    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_has_every_package_that_the_processes_import() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))

    assert copied == packages - {"stack", "sandbox", "tests"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_gains_rights(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] <= 1024
    assert not service.get("privileged")
    assert set(service.get("cap_add", ())) <= {
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "SETGID",
        "SETUID",
    }
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", ()))


@pytest.mark.parametrize("name", [*OURS, "operator"])
def test_our_containers_write_nothing_but_temporary_files(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - a directory of the container
    assert service["mem_limit"] == "1g"
    assert "cap_add" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_version_and_every_port_is_of_this_machine(name: str) -> None:
    service = SERVICES[name]
    image = service["image"]

    assert image == "referrals" or re.search(r":(\$\{\w+:-)?v?\d", image), image
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.parametrize("ignoring", [".gitignore", ".dockerignore"])
def test_secrets_stay_out_of_the_repository_and_the_image(ignoring: str) -> None:
    assert ".env" in (ROOT / ignoring).read_text().split()


def names_of_profile(profile: str) -> set[str]:
    return {name for name, service in SERVICES.items() if profile in service.get("profiles", ())}
