"""Commands of the pages that docker-compose.yml runs: services, profiles and secrets exist."""

import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests import ROOT
from tests.docs.test_links import CODE, PAGES, page_name

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
PROFILES: Final = {name for each in SERVICES.values() for name in each.get("profiles", ())}
CALL: Final = re.compile(r"docker compose ([^`\n#]+)")
TAKES_A_VALUE: Final = {"-e", "--entrypoint"}
OF_OUR_IMAGE: Final = {name for name, each in SERVICES.items() if each["image"] == "referrals"}


def calls(text: str) -> list[list[str]]:
    code = "\n".join(CODE.findall(text))
    return [shlex.split(call) for call in CALL.findall(code)]


def service_of(words: list[str]) -> str:
    """Return the service of `run` or `exec`, behind its options."""
    rest = iter(words)
    for word in rest:
        if word in TAKES_A_VALUE:
            next(rest)
        elif not word.startswith("-"):
            return word
    raise AssertionError(words)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_services_and_profiles_exist(page: Path) -> None:
    for words in calls(page.read_text()):
        if words[0] == "--profile":
            assert words[1] in PROFILES
        elif words[0] in {"run", "exec"}:
            service = service_of(words[1:])
            assert service in SERVICES
            # The others lack what some commands need: `api` the owner, `migrate` the application.
            assert words[0] == "exec" or service == "operator" or service not in OF_OUR_IMAGE


def test_a_profile_whose_secret_is_a_variable_is_shown_with_it() -> None:
    (variable,) = [secret["environment"] for secret in COMPOSE["secrets"].values()]
    runbook = (ROOT / "docs/runbook.md").read_text()

    assert runbook.count("--profile monitoring") == 1
    assert f"{variable}=rk_... docker compose --profile monitoring up" in runbook


def test_readiness_is_asked_with_what_the_image_has_and_where_it_listens() -> None:
    runbook = (ROOT / "docs/runbook.md").read_text()
    asked = re.findall(r"docker compose exec (\w+) (\w+) .*'127\.0\.0\.1', (\d+)", runbook)

    assert asked == [("worker", "python", "9101")]
    for service, _, port in asked:
        listens = SERVICES[service]["environment"][f"REFERRALS_{service.upper()}_METRICS_PORT"]
        assert str(listens) == port
