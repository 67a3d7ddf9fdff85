"""The Helm chart, rendered and linted, against the settings and the command line."""

import json
import re
import shlex
import shutil
import subprocess
from typing import Any, Final

import pytest
import typer
import yaml

import cli
from runtime.key_settings import KeySettings
from runtime.settings import ClientSettings, MigrationSettings, Settings
from tests import ROOT

COMMANDS: Final = set(typer.main.get_group(cli.app).commands)
CHART: Final = ROOT / "deploy/helm/referrals"
HELM: Final = shutil.which("helm")
GIVEN: Final = (
    "--set=settings.REFERRALS_PUBLIC_URL=https://refer.example",
    "--set=settings.REFERRALS_TEMPORAL_ADDRESS=temporal:7233",
    "--set=ingress.enabled=true",
    "--set=ingress.host=refer.example",
)
BY_UVICORN: Final = "FORWARDED_ALLOW_IPS"
SECRETS: Final = {
    name
    for kind in (Settings, MigrationSettings, KeySettings, ClientSettings)
    for name, field in kind.model_fields.items()
    if "SecretStr" in str(field.annotation) or name.endswith("database_url")
}
needs_helm = pytest.mark.skipif(HELM is None, reason="needs `helm` on PATH")


def helm(*arguments: str) -> str:
    done = subprocess.run(
        [HELM or "helm", *arguments], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return done.stdout


def variable(field: str) -> str:
    return f"REFERRALS_{field.upper()}"


@pytest.fixture(scope="module")
def containers() -> dict[str, dict[str, Any]]:
    """Return each container with the security context of its pod, by name."""
    found = {}
    for document in yaml.safe_load_all(helm("template", "mine", str(CHART), *GIVEN)):
        if document and document["kind"] in {"Deployment", "Job"}:
            pod = document["spec"]["template"]["spec"]
            for container in pod["containers"]:
                found[container["name"]] = container | {"pod": pod}
    return found


def test_the_default_settings_are_known() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    known = {f"REFERRALS_{field.upper()}" for field in Settings.model_fields}

    assert set(values["settings"]) <= known


def test_the_image_runs_as_the_user_of_the_chart() -> None:
    (user,) = re.findall(r"^USER (\d+):\d+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert f"runAsUser: {user}" in (CHART / "templates/_helpers.tpl").read_text()


def test_listens_where_the_values_say() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    templates = [
        (CHART / "templates" / name).read_text() for name in ("api.yaml", "background.yaml")
    ]

    assert values["listenHost"] == "0.0.0.0"  # noqa: S104 - of a container
    assert all(".Values.listenHost | quote" in template for template in templates)


def test_names_every_setting_that_is_secret_and_takes_none_in_the_clear() -> None:
    comment = (CHART / "values.yaml").read_text().partition("image:")[0]
    (refused,) = re.findall(
        r"\$secrets := list (.+) \}\}", (CHART / "templates/settings.yaml").read_text()
    )
    # Those of commands that run elsewhere.
    given = {variable(name) for name in SECRETS} - {
        variable("api_key"),
        variable("keys_database_url"),
    }

    assert {f"REFERRALS_{name}" for name in re.findall(r'"(\w+)"', refused)} == {
        variable(name) for name in SECRETS
    }
    assert set(re.findall(r"REFERRALS_[A-Z_]+[A-Z]", comment)) == given
    assert "CLICKHOUSE_URL" in comment


@needs_helm
@pytest.mark.parametrize("name", ["REFERRALS_OIDC_CLIENT_SECRET", "CLICKHOUSE_URL"])
def test_refuses_a_secret_among_the_settings(name: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        helm("template", "mine", str(CHART), *GIVEN, f"--set=settings.{name}=hush")

    assert f"settings.{name} is secret: put it into the secret referrals" in refusal.value.stderr
    assert "hush" not in refusal.value.stderr


@needs_helm
def test_is_linted() -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), *GIVEN)


@needs_helm
def test_runs_every_process_as_a_command_that_exists(
    containers: dict[str, dict[str, Any]],
) -> None:
    commands = COMMANDS

    assert set(containers) == {"api", "worker", "courier", "verifier", "migrate"}
    assert {container["args"][0] for container in containers.values()} <= commands


@needs_helm
def test_gives_variables_that_somebody_reads(containers: dict[str, dict[str, Any]]) -> None:
    fields = {*Settings.model_fields, *MigrationSettings.model_fields}
    known = {f"REFERRALS_{field.upper()}" for field in fields} | {BY_UVICORN}
    given = {entry["name"] for c in containers.values() for entry in c.get("env", ())}

    assert given <= known


@needs_helm
def test_only_the_migration_knows_the_owner(containers: dict[str, dict[str, Any]]) -> None:
    secrets = {name: yaml.safe_dump(container) for name, container in containers.items()}

    assert [n for n, text in secrets.items() if "referrals-owner" in text] == ["migrate"]


@needs_helm
def test_no_container_has_rights_that_it_does_not_need(
    containers: dict[str, dict[str, Any]],
) -> None:
    for container in containers.values():
        assert container["pod"]["securityContext"]["runAsNonRoot"] is True
        assert container["pod"]["securityContext"]["runAsUser"] > 0
        assert container["securityContext"]["allowPrivilegeEscalation"] is False


@needs_helm
def test_probes_ask_what_is_served(containers: dict[str, dict[str, Any]]) -> None:
    api = containers["api"]
    assert api["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert api["readinessProbe"]["httpGet"]["path"] == "/readyz"
    for name in ("worker", "courier"):
        for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            assert containers[name][probe]["httpGet"] == {"path": path, "port": "metrics"}
        assert containers[name]["ports"] == [
            {
                "name": "metrics",
                "containerPort": int(
                    next(e["value"] for e in containers[name]["env"] if e["name"].endswith("_PORT"))
                ),
            }
        ]


@needs_helm
def test_runs_the_image_of_a_digest_whatever_the_tag_names() -> None:
    digest = f"sha256:{'0' * 64}"
    pinned = helm("template", "mine", str(CHART), *GIVEN, f"--set=image.digest={digest}")
    plain = helm("template", "mine", str(CHART), *GIVEN)

    found = re.findall(r"image: \"(.+)\"", pinned)
    assert len(found) == len(re.findall(r"image: \"(.+)\"", plain)) > 0
    assert all(re.fullmatch(rf"referrals:[\d.]+@{digest}", image) for image in found)
    assert "@" not in "".join(re.findall(r"image: \"(.+)\"", plain))


@needs_helm
def test_refuses_to_be_installed_without_an_address() -> None:
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        helm("template", "mine", str(CHART))

    assert "REFERRALS_PUBLIC_URL" in refusal.value.stderr


def test_the_page_makes_the_first_key_with_the_owners_secret() -> None:
    page = (ROOT / "docs/databases.md").read_text()
    (shown,) = re.findall(r"^(kubectl run (?:.*\\\n)+.*)$", page, re.MULTILINE)
    options, _, command = shown.replace("\\\n", " ").partition(" -- ")
    given = dict(word.split("=", 1) for word in shlex.split(options) if "=" in word)
    (container,) = json.loads(given["--overrides"])["spec"]["containers"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    owner = yaml.safe_load((CHART / "values.yaml").read_text())["ownerSecretName"]

    # A strategic merge keeps the container of that name, with its image and arguments.
    assert given["--override-type"] == "strategic"
    assert container == {
        "name": shlex.split(options)[2],
        "envFrom": [{"secretRef": {"name": owner}}],
    }
    assert given["--image"] == f"referrals:{chart['appVersion']}"
    assert command.split()[:2] == ["keys", "create"]
